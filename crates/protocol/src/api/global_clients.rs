//! Clients that belong to every account: `/api/v2/oauth/global_clients`.

use serde::{Deserialize, Serialize};

use super::{
    extra::Extra,
    pagination::{self, Pagination},
};
use crate::ids::ClientId;

/// A page of global clients. A server that has none answers with an empty page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GlobalClientsResponse {
    /// The records, in ascending order of id; at most 100.
    ///
    /// Present: always.
    #[serde(default, deserialize_with = "pagination::records")]
    pub global_clients: Vec<GlobalClientObject>,
    /// Where the page is in the list. Its form is that of the request. Other servers leave it out.
    ///
    /// Present: always.
    ///
    /// Example: cursor: `{"meta": {"has_more": false, "after_cursor": null, "before_cursor": null},
    /// "links": {"next": null, "prev": null}}`; offset: `{"count": 1, "next_page": null,
    /// "previous_page": null}`
    #[serde(flatten, deserialize_with = "pagination::beside_records")]
    pub pagination: Option<Pagination>,
}

/// A global client, which this account can only look at. It has no secret and no redirect addresses
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GlobalClientObject {
    /// The resource id.
    ///
    /// Present: always.
    ///
    /// Example: `9001`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    /// The text name.
    ///
    /// Present: when it is set.
    ///
    /// Example: `"zdg-star-charts"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What users see.
    ///
    /// Present: always.
    ///
    /// Example: `"Star Charts"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organisation behind it.
    ///
    /// Present: when it is set.
    ///
    /// Example: `"Nebula GmbH"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// What it is for.
    ///
    /// Present: when it is set.
    ///
    /// Example: `"Maps of the night sky"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An image of it.
    ///
    /// Present: when there is one.
    ///
    /// Example: `"https://charts.acme.test/logo.png"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_back_as_it_was_written() {
        let text = r#"{"global_clients":[{"id":9001,"identifier":"zdg-star-charts","name":"Star Charts","company":"Nebula GmbH"}],"count":1,"next_page":null,"previous_page":null}"#;
        let page: GlobalClientsResponse = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), text);
    }
}

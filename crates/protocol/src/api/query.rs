//! Queries of the record API: known parameters at most once, unknown ones ignored and kept.

use std::borrow::Cow;

use crate::ids::{InvalidId, is_digits};

/// A query, its parameters in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a>(Vec<Parameter<'a>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter<'a> {
    /// As it was sent, percent-encoded.
    raw: &'a str,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// Why a query cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidQuery {
    /// A parameter, and what it must be.
    Attribute(&'static str, &'static str),
    /// What is wrong with the pagination parameters.
    Pagination(&'static str),
    /// Past the last offset page.
    TooDeep,
}

/// An id that a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFilter<T> {
    /// Nothing was asked for.
    Any,
    /// This one.
    Only(T),
    /// A number that no record has.
    Nothing,
}

impl<'a> Query<'a> {
    /// Takes a query apart. Names are compared decoded: clients send `page%5Bsize%5D` and
    /// `page[size]`.
    pub fn parse(query: Option<&'a str>) -> Self {
        let raw = query.unwrap_or_default().split('&');
        let parameters = raw.filter(|raw| !raw.is_empty()).filter_map(|raw| {
            let (name, value) = form_urlencoded::parse(raw.as_bytes()).next()?;
            Some(Parameter { raw, name, value })
        });
        Self(parameters.collect())
    }

    /// A parameter's value; more than one value is ambiguous.
    pub fn find(&self, name: &'static str) -> Result<Option<&str>, InvalidQuery> {
        let mut values = self.0.iter().filter(|parameter| parameter.name == name);
        match (values.next(), values.next()) {
            (found, None) => Ok(found.map(|parameter| &*parameter.value)),
            _ => Err(InvalidQuery::Attribute(name, "sent once")),
        }
    }

    /// `true`, `false`, `1` or `0` in any case; `false` when absent.
    pub fn switch(&self, name: &'static str) -> Result<bool, InvalidQuery> {
        let value = self.find(name)?.map(str::to_ascii_lowercase);
        match value.as_deref() {
            Some("true" | "1") => Ok(true),
            Some("false" | "0") | None => Ok(false),
            Some(_) => Err(InvalidQuery::Attribute(name, "true or false")),
        }
    }

    /// An id to look for. Whole numbers that are no ids are looked for in vain.
    pub fn id<T: TryFrom<u64, Error = InvalidId>>(
        &self,
        name: &'static str,
    ) -> Result<IdFilter<T>, InvalidQuery> {
        let Some(text) = self.find(name)? else {
            return Ok(IdFilter::Any);
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !is_digits(digits) {
            return Err(InvalidQuery::Attribute(name, "an integer"));
        }
        let id = text.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
        Ok(id.map_or(IdFilter::Nothing, IdFilter::Only))
    }

    /// The parameters but those of these names, as they were sent.
    pub fn without<'q>(&'q self, names: &'q [&str]) -> impl Iterator<Item = &'a str> + 'q {
        self.0
            .iter()
            .filter(|parameter| !names.contains(&&*parameter.name))
            .map(|parameter| parameter.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClientId, ID_MAX};

    #[test]
    fn a_known_parameter_comes_once_in_any_spelling_of_its_name() {
        let query = Query::parse(Some("page%5Bsize%5D=2&sort=a&sort=b&x"));
        assert_eq!(query.find("page[size]"), Ok(Some("2")));
        assert_eq!(query.find("x"), Ok(Some("")));
        assert_eq!(query.find("absent"), Ok(None));
        let kept: Vec<_> = query.without(&["page[size]"]).collect();
        assert_eq!(kept, ["sort=a", "sort=b", "x"]);
        let twice = Query::parse(Some("page[size]=2&page%5Bsize%5D=2"));
        assert_eq!(
            twice.find("page[size]"),
            Err(InvalidQuery::Attribute("page[size]", "sent once"))
        );
    }

    #[test]
    fn switches_and_ids_have_exact_forms() {
        for (text, expected) in [
            ("x=true", Ok(true)),
            ("x=TRUE", Ok(true)),
            ("x=1", Ok(true)),
            ("x=False", Ok(false)),
            ("x=0", Ok(false)),
            ("", Ok(false)),
            ("x=yes", Err(())),
            ("x=", Err(())),
        ] {
            let query = Query::parse(Some(text));
            assert_eq!(query.switch("x").map_err(|_| ()), expected, "{text}");
        }
        let too_large = (ID_MAX + 1).to_string();
        for (text, expected) in [
            ("41", Ok(IdFilter::Only(41))),
            ("0", Ok(IdFilter::Nothing)),
            ("-1", Ok(IdFilter::Nothing)),
            (&too_large, Ok(IdFilter::Nothing)),
            ("99999999999999999999999", Ok(IdFilter::Nothing)),
            ("", Err(())),
            ("-", Err(())),
            ("4.1", Err(())),
            ("acme_reports", Err(())),
        ] {
            let query = format!("x={text}");
            let found = Query::parse(Some(&query)).id::<ClientId>("x");
            let found = found.map_err(|_| ()).map(|filter| match filter {
                IdFilter::Only(id) => IdFilter::Only(id.get()),
                IdFilter::Any => IdFilter::Any,
                IdFilter::Nothing => IdFilter::Nothing,
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}

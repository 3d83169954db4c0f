//! Every page with ordinary and with hostile text.
//!
//! With `PAGES_DIR` set, the ordinary and hostile pages and the assets are written there, to be
//! looked at in a browser.

mod samples;

use std::{collections::BTreeSet, env, fs, path::Path};

use askama::Template;

pub(super) use self::samples::{connections_page, consent_page};
use self::samples::{
    device_consent_page, noticed_pages, ordinary_pages, pairs, sign_in_page, text,
};
use super::*;

/// The text of every tag, from `<` to `>`.
fn tags(page: &str) -> Vec<&str> {
    let tags = page.split('<').skip(1);
    tags.map(|rest| rest.split('>').next().unwrap()).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// A tag without the values of its attributes.
fn skeleton(tag: &str) -> String {
    let outside = tag.split('"').step_by(2);
    outside.collect::<Vec<_>>().join("…")
}

#[test]
fn hostile_text_changes_no_tag() {
    for (name, ordinary, hostile) in pairs() {
        let [ordinary, hostile] = [&ordinary, &hostile]
            .map(|page| tags(page).into_iter().map(skeleton).collect::<Vec<_>>());
        assert_eq!(ordinary, hostile, "{name}");
    }
}

#[test]
fn no_page_holds_a_script_or_an_inline_style() {
    let hostile = pairs().into_iter().map(|(name, _, page)| (text(name), page));
    for (name, page) in ordinary_pages().into_iter().chain(hostile) {
        for tag in tags(&page) {
            let tag = skeleton(&tag.to_ascii_lowercase());
            assert!(!tag.starts_with("script"), "{name}");
            for attribute in [" style=", " on"] {
                assert!(!tag.contains(attribute), "{name}: {tag}");
            }
        }
    }
}

#[test]
fn every_page_has_a_language_a_title_one_h1_and_its_landmarks() {
    for (name, page) in ordinary_pages() {
        for (part, count) in [
            ("<html lang=\"en\">", 1),
            ("<h1", 1),
            ("<main ", 1),
            ("<header ", 1),
            ("href=\"#content\"", 1),
            ("name=\"viewport\"", 1),
        ] {
            assert_eq!(page.matches(part).count(), count, "{name}: {part}");
        }
        assert!(!page.contains("<title> –"), "{name}");
    }
}

#[test]
fn every_input_has_a_label_and_every_id_is_there_once() {
    for (name, page) in ordinary_pages() {
        let tags = tags(&page);
        let ids: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{name}");
        let labels: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "for")).collect();
        let inputs = tags.iter().filter(|tag| tag.starts_with("input "));
        for input in inputs.filter(|tag| attribute(tag, "type") != Some("hidden")) {
            assert!(labels.contains(&attribute(input, "id").unwrap()), "{name}: {input}");
        }
        for reference in ["aria-describedby", "aria-labelledby"] {
            for id in tags.iter().filter_map(|tag| attribute(tag, reference)) {
                assert!(ids.contains(&id), "{name}: {id}");
            }
        }
    }
}

#[test]
fn every_form_posts_a_page_token() {
    for (name, page) in ordinary_pages() {
        for form in page.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(form.starts_with("method=\"post\" action=\"/"), "{name}");
            assert!(
                form.contains("<input type=\"hidden\" name=\"page_token\" value=\"page-token\">"),
                "{name}"
            );
        }
    }
}

#[test]
fn the_consent_page_says_who_asks_for_what_and_where_the_answer_goes() {
    let page = consent_page().render().unwrap();
    for part in [
        "Allow <bdi>Acme Reports</bdi> to use your account?",
        "<bdi>Acme Ltd</bdi>",
        "Sends you a weekly report",
        "View tickets",
        "<bdi>reports.acme.test</bdi>",
        "ada@example.test",
        "name=\"decision\" value=\"allow\"",
        "name=\"decision\" value=\"deny\"",
        "name=\"request\" value=\"request\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("cannot prove who it is"));
    let device = device_consent_page().render().unwrap();
    assert!(device.contains("cannot prove who it is"));
    assert!(device.contains("127.0.0.1:53682"));
}

#[test]
fn a_button_that_ends_access_names_the_app() {
    let page = connections_page().render().unwrap();
    let expected = "End access<span class=\"visually-hidden\"> for <bdi>Acme Reports</bdi>, \
         connected on 12 January 2026</span>";
    assert!(page.contains(expected), "{page}");
    assert!(page.contains("action=\"/account/connections/1001/revoke\""));
    assert!(page.contains("<time datetime=\"2026-03-05T11:57:00Z\">3 minutes ago"));
}

#[test]
fn a_failed_sign_in_keeps_the_email_and_ties_the_message_to_the_fields() {
    let page = SignInPage {
        email: text("ada@example.test"),
        message: Some(SignInMessage::WrongEmailOrPassword),
        ..sign_in_page()
    };
    let page = page.render().unwrap();
    assert!(page.contains("<title>Error: Sign in"));
    assert!(page.contains("role=\"alert\" id=\"message\""));
    assert_eq!(page.matches("aria-describedby=\"message\"").count(), 2);
    assert!(page.contains("value=\"ada@example.test\""));
    assert_eq!(page.matches(" autofocus").count(), 1);
    for autocomplete in ["username", "current-password"] {
        assert!(page.contains(&format!("autocomplete=\"{autocomplete}\"")));
    }
}

#[test]
fn the_notice_stands_once_above_the_page_and_nowhere_else() {
    for (name, page) in noticed_pages() {
        assert_eq!(page.matches("class=\"site-notice").count(), 1, "{name}");
        let above = page.find("class=\"site-notice") < page.find("<header ");
        assert!(above, "{name}");
    }
    for page in [sign_in_page().render().unwrap(), consent_page().render().unwrap()] {
        assert!(!page.contains("site-notice"));
    }
}

#[test]
fn pages_can_be_written_out_to_be_looked_at() {
    let Ok(folder) = env::var("PAGES_DIR") else {
        return;
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in assets() {
        fs::write(folder.join(&asset.path[1..]), asset.bytes).unwrap();
    }
    let hostile = pairs().into_iter().map(|(name, _, page)| (format!("hostile_{name}"), page));
    for (name, page) in ordinary_pages().into_iter().chain(hostile) {
        fs::write(folder.join(name + ".html"), page).unwrap();
    }
}

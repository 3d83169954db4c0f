//! Examples of models, put together from the examples of their fields.
//!
//! A model has an example without a label, unless it is one of several objects, and one for each
//! label of its fields. A field whose type is a model needs none of its own.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use super::library::Library;
use super::source::{Alternative, Alternatives, Field, Model, Shape};
use crate::docs::rust_types::RustType;

/// An example, and what it is an example of where there are several.
pub(super) struct ModelExample {
    pub(super) label: Option<String>,
    pub(super) value: Value,
}

/// The examples of a model, as the wire has them.
pub(super) fn of(library: &Library, model: &Model) -> Result<Vec<ModelExample>> {
    let mut examples = of_shape(library, model)
        .with_context(|| format!("{}: {} has no whole example", model.path, model.name))?;
    if let Some(wrapper) = &model.wrapper {
        for example in &mut examples {
            let record = example.value.take();
            example.value = Value::Object(Map::from_iter([(wrapper.clone(), record)]));
        }
    }
    Ok(examples)
}

fn of_shape(library: &Library, model: &Model) -> Result<Vec<ModelExample>> {
    match &model.shape {
        Shape::Object(fields) => of_fields(library, fields),
        Shape::Either(all) => {
            all.iter().map(|alternative| of_alternative(library, alternative)).collect()
        }
        Shape::Words(variants) => {
            let first = variants.first().context("no word")?;
            Ok(vec![ModelExample { label: None, value: first.word.clone().into() }])
        }
        Shape::Value(_) | Shape::Variants(_) => {
            let example = model.comment.example().context("its comment ends without `Example:`")?;
            Ok(vec![ModelExample { label: None, value: example.clone() }])
        }
        Shape::Form(_) => bail!("a form is not JSON"),
    }
}

fn of_alternative(library: &Library, alternative: &Alternative) -> Result<ModelExample> {
    let examples = match &alternative.members {
        Alternatives::Fields(fields) => of_fields(library, fields)?,
        Alternatives::Model(inner) => {
            of_shape(library, library.find(&inner.name).context("not a model")?)?
        }
    };
    let value = examples.into_iter().find(|example| example.label.is_none());
    let value = value.context("it has no example without a label")?.value;
    Ok(ModelExample { label: Some(alternative.name.to_lowercase()), value })
}

fn of_fields(library: &Library, fields: &[Field]) -> Result<Vec<ModelExample>> {
    let mut labels: Vec<Option<String>> = vec![None];
    for field in fields {
        let own = field.comment.examples.iter().flat_map(|example| example.labels.clone());
        let nested = if has_examples(field) { Vec::new() } else { nested(library, field)? };
        let own_labels = field.comment.examples.iter().map(|example| !example.labels.is_empty());
        let mut labelled = nested.iter().map(|example| example.label.is_some()).chain(own_labels);
        if field.flattened && labelled.next() == Some(true) && labelled.all(|has_label| has_label) {
            // One of several objects is part of this one: there is none without it.
            labels.retain(Option::is_some);
        }
        let nested = nested.into_iter().filter_map(|example| example.label);
        for label in own.chain(nested) {
            if !labels.contains(&Some(label.clone())) {
                labels.push(Some(label));
            }
        }
    }
    labels.into_iter().map(|label| labelled(library, fields, label)).collect()
}

fn has_examples(field: &Field) -> bool {
    !field.comment.examples.is_empty()
}

/// The example of this label: fields that have none for it are left out.
fn labelled(library: &Library, fields: &[Field], label: Option<String>) -> Result<ModelExample> {
    let mut members = Map::new();
    for field in fields {
        if has_examples(field) {
            let own = field.comment.labelled(label.as_deref());
            insert(&mut members, field, own.cloned());
            continue;
        }
        let nested = nested(library, field)?;
        let own = nested.iter().find(|example| example.label == label);
        let value = own.or_else(|| nested.iter().find(|example| example.label.is_none()));
        insert(&mut members, field, value.map(|example| example.value.clone()));
    }
    Ok(ModelExample { label, value: Value::Object(members) })
}

fn insert(members: &mut Map<String, Value>, field: &Field, value: Option<Value>) {
    match value {
        Some(Value::Object(inner)) if field.flattened => members.extend(inner),
        Some(value) => {
            members.insert(field.name.clone(), value);
        }
        None => {}
    }
}

/// The examples of a field's type.
fn nested(library: &Library, field: &Field) -> Result<Vec<ModelExample>> {
    let rust_type = field.rust_type.present();
    // Members that nobody knows yet have no example.
    if rust_type.name == "Extra" {
        return Ok(Vec::new());
    }
    of_type(library, rust_type).with_context(|| {
        format!("{}: its type has no example, so its comment must end with one", field.name)
    })
}

fn of_type(library: &Library, rust_type: &RustType) -> Result<Vec<ModelExample>> {
    if let ("Vec", [item]) = (rust_type.name.as_str(), rust_type.arguments.as_slice()) {
        let items = of_type(library, item)?;
        let first = items.into_iter().find(|example| example.label.is_none());
        let value = Value::Array(first.into_iter().map(|example| example.value).collect());
        return Ok(vec![ModelExample { label: None, value }]);
    }
    of_shape(library, library.find(&rust_type.name).context("not a model")?)
}

/// The parameters of one kind of form as they are sent.
pub(super) fn of_form(kind: &Alternative) -> Result<String> {
    let Alternatives::Fields(fields) = &kind.members else {
        bail!("{}: a form has fields", kind.name);
    };
    // A constant parameter is what the kind's own text begins with.
    let constant = kind.comment.leading_code().filter(|code| code.contains('='));
    let mut pairs: Vec<String> = constant.map(str::to_owned).into_iter().collect();
    for field in fields {
        if !has_examples(field) {
            bail!("{}: {} has no Example", kind.name, field.name);
        }
        if let Some(value) = field.comment.example() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{}={}", field.name, percent_encoded(&text)));
        }
    }
    Ok(pairs.join("&"))
}

/// What RFC 3986 §2.3 reserves nothing for stays as it is.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

//! Declares settings: the one place where a setting is written down. The doc comment of a field is
//! its text in the reference, the field's name (after its section's) is its key, and from that the
//! name of its environment variable is made.

use super::{
    kinds::{Kind, Reach, Shown},
    layers::Layers,
};

/// One setting as the reference and the report see it.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// `tokens.access_token_lifetime`
    pub(super) key: &'static str,
    /// What it means, one paragraph.
    pub(super) meaning: String,
    pub(super) kind: String,
    pub(super) bounds: Option<String>,
    pub(super) reach: Reach,
    pub(super) value: Shown,
    pub(super) example: Option<String>,
}

impl Setting {
    pub(super) fn new<K: Kind>(
        key: &'static str,
        lines: &[&str],
        kind: &K,
        value: &K::Value,
    ) -> Self {
        Self {
            key,
            meaning: paragraph(lines),
            kind: kind.name(),
            bounds: kind.bounds(),
            reach: kind.reach(),
            value: kind.show(value),
            example: kind.example(),
        }
    }

    /// The key within its section.
    pub(super) fn name(&self) -> &'static str {
        self.key.rsplit_once('.').map_or(self.key, |(_, name)| name)
    }
}

/// The name of a setting's environment variable: `TOKENRY_`, then the key in capitals, its dots as
/// underscores.
pub(super) fn environment_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// What every environment variable of ours begins with.
pub(super) const PREFIX: &str = "TOKENRY_";

/// The settings of one section, with the values they have.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The TOML table, empty for the settings at the top.
    pub(super) section: &'static str,
    pub(super) about: String,
    pub(super) settings: Vec<Setting>,
}

/// A section's struct: read from layers, and listed.
pub(super) trait Section: Default {
    fn read(layers: &mut Layers) -> Self;
    fn groups(&self) -> Vec<Group>;
}

pub(super) fn paragraph(lines: &[&str]) -> String {
    let words: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    words.join(" ").trim().to_owned()
}

/// The TOML table whose keys begin with `prefix`.
pub(super) fn table(prefix: &'static str) -> &'static str {
    prefix.strip_suffix('.').unwrap_or(prefix)
}

/// `Name "prefix." { /// meaning  field: Type = default, kind; … } with { part: Section; … }`
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident $prefix:literal {
            $(
                $(#[doc = $meaning:literal])*
                $field:ident: $type:ty = $default:expr, $kind:expr;
            )*
        }
        $( with { $( $part:ident: $part_type:ident; )* } )?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $meaning])* pub $field: $type, )*
            $( $(
                #[doc = concat!("The section `", stringify!($part), "`.")]
                pub $part: $part_type,
            )* )?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $( $field: $default, )*
                    $( $( $part: $part_type::default(), )* )?
                }
            }
        }

        impl $crate::config::section::Section for $name {
            fn read(layers: &mut $crate::config::layers::Layers) -> Self {
                Self {
                    $( $field: layers.take(
                        concat!($prefix, stringify!($field)),
                        &$kind,
                        $default,
                    ), )*
                    $( $( $part: $part_type::read(layers), )* )?
                }
            }

            fn groups(&self) -> Vec<$crate::config::section::Group> {
                use $crate::config::section::{Group, Setting, paragraph, table};
                let settings = vec![ $( Setting::new(
                    concat!($prefix, stringify!($field)),
                    &[ $( $meaning ),* ],
                    &$kind,
                    &self.$field,
                ), )* ];
                let about = paragraph(&[ $( $about ),* ]);
                let own = Group { section: table($prefix), about, settings };
                let parts: Vec<Vec<Group>> = vec![ $( $( self.$part.groups(), )* )? ];
                std::iter::once(own).chain(parts.into_iter().flatten()).collect()
            }
        }
    };
}

pub(super) use section;

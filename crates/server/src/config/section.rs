//! Declares settings: the one place where a setting is written down. The doc comment of a field is
//! its text in the reference, the field's name (after its section's) is its key, and from that the
//! name of its environment variable is made.

use super::{layers::Layers, setting::Group};

/// A section's struct: read from layers over the values of where nothing is written, and listed.
pub(super) trait Section: Default {
    fn read(layers: &mut Layers, defaults: Self) -> Self;
    fn groups(&self) -> Vec<Group>;
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
            fn read(layers: &mut $crate::config::layers::Layers, defaults: Self) -> Self {
                Self {
                    $( $field: layers.take(
                        concat!($prefix, stringify!($field)),
                        &$kind,
                        defaults.$field,
                    ), )*
                    $( $( $part: $part_type::read(layers, defaults.$part), )* )?
                }
            }

            fn groups(&self) -> Vec<$crate::config::setting::Group> {
                use $crate::config::{
                    section::table,
                    setting::{Group, Setting, paragraph},
                };
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

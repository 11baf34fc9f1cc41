//! The fields of an article, each by itself and several at once.

use crate::rules::outcome::Field;

/// All fields, in the order of [`Article`](crate::rules::outcome::Article).
pub(crate) const FIELDS: [Field; 6] =
    [Field::Title, Field::Summary, Field::Body, Field::Url, Field::Source, Field::Lang];

/// Their names in rule files, in the same order.
pub(crate) const NAMES: [&str; 6] = ["title", "summary", "body", "url", "source", "lang"];

/// Returns the field of a name.
pub(crate) fn field(name: &str) -> Option<Field> {
    FIELDS.into_iter().zip(NAMES).find(|(_, known)| *known == name).map(|(field, _)| field)
}

/// Returns what belongs to a field of what all fields have, in the order of [`FIELDS`].
pub(crate) fn of_field<T>([title, summary, body, url, source, lang]: &[T; 6], field: Field) -> &T {
    match field {
        Field::Title => title,
        Field::Summary => summary,
        Field::Body => body,
        Field::Url => url,
        Field::Source => source,
        Field::Lang => lang,
    }
}

/// Some of the fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FieldSet(u8);

impl FieldSet {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self((1 << FIELDS.len()) - 1);

    pub(crate) fn one(field: Field) -> Self {
        Self(1 << field as u8)
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(crate) fn contains(self, field: Field) -> bool {
        !self.and(Self::one(field)).is_empty()
    }

    /// Returns the fields in either.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, field: Field) -> Self {
        Self(self.0 & !Self::one(field).0)
    }

    /// Returns the fields in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        fields.into_iter().map(Self::one).fold(Self::NONE, Self::or)
    }
}

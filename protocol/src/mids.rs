//! Which m-line carries which slot.

use serde::{Serialize, Serializer};

use crate::json::{AN_OBJECT, Fault, Field, Fields, Json};

/// The mid of each slot's m-line (RFC 8843 §15), by slot index, which is the key of a JSON object. A list, as there are few: the
/// code of a tree would be a part of what every browser downloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mids(Vec<(u32, String)>);

impl Mids {
    pub fn get(&self, slot: u32) -> Option<&str> {
        self.iter().find(|(of, _)| *of == slot).map(|(_, mid)| mid)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.0.iter().map(|(slot, mid)| (*slot, mid.as_str()))
    }
}

/// Each slot comes once.
impl FromIterator<(u32, String)> for Mids {
    fn from_iter<I: IntoIterator<Item = (u32, String)>>(mids: I) -> Self {
        Self(mids.into_iter().collect())
    }
}

impl Serialize for Mids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Field for Mids {
    fn read(&mut self, value: Json) -> Result<(), Fault> {
        for (key, value) in Fields::of(value)?.values {
            let index = key
                .parse()
                .ok()
                .filter(|index| self.get(*index).is_none())
                .ok_or_else(|| Fault::new("a slot index as its key", &value).within(&key))?;
            let mut mid = String::new();
            mid.read(value).map_err(|fault| fault.within(&key))?;
            self.0.push((index, mid));
        }
        Ok(())
    }

    fn expected(&self) -> &'static str {
        AN_OBJECT
    }
}

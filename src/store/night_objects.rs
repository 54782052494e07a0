//! Objects seen in several nights: keys given once, members as the nights tell them now.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Transaction, params};

use crate::pipeline::artifact::joined::{Joined, OtherNight};

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};

/// An object that was found in several nights.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundObject {
    /// The key it gets when it has none.
    pub key: String,
    /// Expected number of unrelated candidates that would have been joined as well.
    pub chance: f64,
    /// Reduced chi-square of one orbit through all nights.
    pub chi2_reduced: f64,
    /// Night and candidate of each member, one a night.
    pub members: Vec<OtherNight>,
}

/// A row of the table of objects.
struct Kept {
    id: i64,
    members: BTreeSet<OtherNight>,
}

impl Store {
    /// Replaces what is known of some nights' objects by what was found in them, in one
    /// transaction.
    ///
    /// An object that shares a member with one on record is that one and keeps its key, the oldest
    /// of several; its members in other nights stay. Found again, nothing changes.
    pub fn keep_night_objects(
        &self,
        nights: &[NightId],
        found: Vec<FoundObject>,
    ) -> Result<(), StoreError> {
        let nights: BTreeSet<String> = nights.iter().map(ToString::to_string).collect();
        self.writer().transact(move |transaction| {
            write(transaction, &nights, &found)
                .map_err(during("keep the objects of several nights"))
        })
    }
}

fn write(
    transaction: &Transaction<'_>,
    nights: &BTreeSet<String>,
    found: &[FoundObject],
) -> rusqlite::Result<()> {
    let kept = kept(transaction, nights)?;
    let owners = owners(&kept, found);
    // A member that no object has now stays where it was: it may find its other nights again.
    let taken: BTreeSet<&OtherNight> = found.iter().flat_map(|object| &object.members).collect();
    for (object, owner) in found.iter().zip(&owners) {
        let id = match owner {
            Some(id) => {
                transaction.execute(
                    "UPDATE night_object SET chance = ?2, chi2_reduced = ?3 WHERE id = ?1",
                    params![id, object.chance, object.chi2_reduced],
                )?;
                *id
            }
            None => new_object(transaction, object)?,
        };
        for member in &object.members {
            transaction.execute(
                "INSERT INTO night_object_member (night, candidate_id, object) \
                 VALUES (?1, ?2, ?3) ON CONFLICT (night, candidate_id) \
                 DO UPDATE SET object = excluded.object",
                params![member.night, member.candidate_id, id],
            )?;
        }
        // Of the nights looked at, it has these members only.
        if let Some(former) = kept.iter().find(|row| row.id == id) {
            for member in former.members.iter().filter(|m| nights.contains(&m.night)) {
                if !taken.contains(member) {
                    forget(transaction, member)?;
                }
            }
        }
        // What another one of the same object has elsewhere comes along.
        for row in kept.iter().filter(|row| row.id != id && !owners.contains(&Some(row.id))) {
            if object.members.iter().any(|member| row.members.contains(member)) {
                for member in row.members.iter().filter(|m| !taken.contains(m)) {
                    bring(transaction, member, id)?;
                }
            }
        }
    }
    split(transaction, &kept, found)?;
    transaction.execute(
        "DELETE FROM night_object WHERE id NOT IN (SELECT object FROM night_object_member)",
        [],
    )?;
    Ok(())
}

/// The objects on record with a member in some nights, oldest first, with all their members.
fn kept(transaction: &Transaction<'_>, nights: &BTreeSet<String>) -> rusqlite::Result<Vec<Kept>> {
    let mut statement = transaction.prepare(
        "SELECT object, night, candidate_id FROM night_object_member WHERE object IN \
         (SELECT object FROM night_object_member WHERE night = ?1)",
    )?;
    let mut all: BTreeMap<i64, BTreeSet<OtherNight>> = BTreeMap::new();
    for night in nights {
        let rows = statement.query_map([night], |row| {
            let member = OtherNight { night: row.get(1)?, candidate_id: row.get(2)? };
            Ok((row.get::<_, i64>(0)?, member))
        })?;
        for row in rows {
            let (id, member) = row?;
            all.entry(id).or_default().insert(member);
        }
    }
    Ok(all.into_iter().map(|(id, members)| Kept { id, members }).collect())
}

/// The object on record that each found one is: of each pair the one with most members in common,
/// then the oldest.
fn owners(kept: &[Kept], found: &[FoundObject]) -> Vec<Option<i64>> {
    let mut claims: Vec<(usize, usize, usize)> = Vec::new();
    for (k, row) in kept.iter().enumerate() {
        for (f, object) in found.iter().enumerate() {
            let n = object.members.iter().filter(|m| row.members.contains(m)).count();
            if n > 0 {
                claims.push((k, n, f));
            }
        }
    }
    // The oldest object chooses first; it chooses whom it shares most with, then the first found.
    claims.sort_by_key(|&(k, n, f)| (k, std::cmp::Reverse(n), f));
    let mut owners = vec![None; found.len()];
    let mut is_given = vec![false; kept.len()];
    for (k, _, f) in claims {
        if !is_given[k] && owners[f].is_none() {
            owners[f] = Some(kept[k].id);
            is_given[k] = true;
        }
    }
    owners
}

fn new_object(transaction: &Transaction<'_>, object: &FoundObject) -> rusqlite::Result<i64> {
    // The key may be that of an object whose members have changed: then one more letter.
    let mut key = object.key.clone();
    for letter in 'A'..='Z' {
        let is_there: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM night_object WHERE key = ?1)",
            [&key],
            |row| row.get(0),
        )?;
        if !is_there {
            break;
        }
        key = format!("{}{letter}", object.key);
    }
    transaction.query_row(
        "INSERT INTO night_object (key, chance, chi2_reduced) VALUES (?1, ?2, ?3) RETURNING id",
        params![key, object.chance, object.chi2_reduced],
        |row| row.get(0),
    )
}

fn forget(transaction: &Transaction<'_>, member: &OtherNight) -> rusqlite::Result<usize> {
    transaction.execute(
        "DELETE FROM night_object_member WHERE night = ?1 AND candidate_id = ?2",
        params![member.night, member.candidate_id],
    )
}

/// Gives a member to an object, unless that has one of the same night.
fn bring(transaction: &Transaction<'_>, member: &OtherNight, id: i64) -> rusqlite::Result<()> {
    let has_night: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM night_object_member WHERE object = ?1 AND night = ?2)",
        params![id, member.night],
        |row| row.get(0),
    )?;
    if has_night {
        forget(transaction, member)?;
        return Ok(());
    }
    transaction.execute(
        "UPDATE night_object_member SET object = ?3 WHERE night = ?1 AND candidate_id = ?2",
        params![member.night, member.candidate_id, id],
    )?;
    Ok(())
}

/// Takes objects apart that are no longer one: the earliest member keeps the key for itself.
fn split(
    transaction: &Transaction<'_>,
    kept: &[Kept],
    found: &[FoundObject],
) -> rusqlite::Result<()> {
    for row in kept {
        let is_found =
            found.iter().any(|object| object.members.iter().any(|m| row.members.contains(m)));
        if !is_found {
            for member in row.members.iter().skip(1) {
                forget(transaction, member)?;
            }
        }
    }
    Ok(())
}

impl Reader {
    /// Closed nights of the telescope of a night whose frames were taken, in the mean, within a
    /// span [d, MJD UTC]; their names and mean times, without that night itself.
    pub fn nights_near(
        &self,
        night: &NightId,
        (first_mjd_utc, last_mjd_utc): (f64, f64),
    ) -> Result<Vec<(String, f64)>, StoreError> {
        self.rows(
            "look for the nights around a night",
            "SELECT night.id, avg(frame.mid_mjd_utc) AS middle FROM night \
             JOIN frame ON frame.night = night.id \
             WHERE night.id <> ?1 AND night.report IS NOT NULL \
             AND night.telescope = (SELECT telescope FROM night WHERE id = ?1) \
             AND frame.mid_mjd_utc BETWEEN ?2 - 1.0 AND ?3 + 1.0 \
             GROUP BY night.id HAVING middle BETWEEN ?2 AND ?3 ORDER BY night.id",
            &[&night.as_str(), &first_mjd_utc, &last_mjd_utc],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// What other nights say of a night's candidates, in order of the candidates' identifiers.
    pub fn joined(&self, night: &NightId) -> Result<Vec<Joined>, StoreError> {
        let rows: Vec<(Joined, OtherNight)> = self.rows(
            "read the objects of several nights",
            "SELECT here.candidate_id, key, chance, chi2_reduced, there.night, there.candidate_id \
             FROM night_object_member here JOIN night_object ON night_object.id = here.object \
             JOIN night_object_member there ON there.object = here.object \
             WHERE here.night = ?1 AND there.night <> ?1 \
             ORDER BY here.candidate_id, there.night",
            &[&night.as_str()],
            |row| {
                let joined = Joined {
                    candidate_id: row.get(0)?,
                    key: row.get(1)?,
                    chance: row.get(2)?,
                    chi2_reduced: row.get(3)?,
                    others: Vec::new(),
                };
                Ok((joined, OtherNight { night: row.get(4)?, candidate_id: row.get(5)? }))
            },
        )?;
        let mut all: Vec<Joined> = Vec::new();
        for (joined, other) in rows {
            match all.last_mut() {
                Some(last) if last.candidate_id == joined.candidate_id => last.others.push(other),
                _ => all.push(Joined { others: vec![other], ..joined }),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::super::nights::NightSource;
    use super::*;
    use crate::science::time::Epoch;

    fn night(name: &str) -> NightId {
        NightId::new(name).expect("a name")
    }

    fn object(members: &[(&str, &str)]) -> FoundObject {
        let member = |&(night, id): &(&str, &str)| OtherNight {
            night: night.to_owned(),
            candidate_id: id.to_owned(),
        };
        let members: Vec<OtherNight> = members.iter().map(member).collect();
        let key = format!("KEY{}", members[0].candidate_id);
        FoundObject { key, chance: 1e-5, chi2_reduced: 1.0, members }
    }

    /// Key and other nights of the only joined candidate of a night.
    fn seen(store: &Store, name: &str) -> Option<(String, String, Vec<String>)> {
        let all = store.read().joined(&night(name)).expect("read");
        assert!(all.len() < 2);
        let one = all.into_iter().next()?;
        Some((one.candidate_id, one.key, one.others.into_iter().map(|o| o.night).collect()))
    }

    #[test]
    fn keys_stay_while_nights_come_and_change() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        for name in ["n1", "n2", "n3", "n4"] {
            let at = Epoch::from_mjd_utc(61_000.0);
            store.begin_night(&night(name), &NightSource::only("/raw"), at).expect("begun");
        }
        let keep = |names: &[&str], found: Vec<FoundObject>| {
            let nights: Vec<NightId> = names.iter().map(|n| night(n)).collect();
            store.keep_night_objects(&nights, found).expect("kept");
        };
        let texts = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        keep(&["n2", "n3"], vec![object(&[("n2", "B"), ("n3", "C")])]);
        let (_, key, others) = seen(&store, "n2").expect("joined");
        assert_eq!((key.as_str(), others), ("KEYB", texts(&["n3"])));
        // An earlier night comes: the key stays, though it would have been another.
        keep(&["n1", "n2", "n3"], vec![object(&[("n1", "A"), ("n2", "B"), ("n3", "C")])]);
        assert_eq!(seen(&store, "n1").expect("joined").1, "KEYB");
        assert_eq!(seen(&store, "n3").expect("joined").2, texts(&["n1", "n2"]));
        // A night done again has another identifier; the old one is no member.
        keep(&["n1", "n2", "n3"], vec![object(&[("n1", "A"), ("n2", "B2"), ("n3", "C")])]);
        let (id, key, _) = seen(&store, "n2").expect("joined");
        assert_eq!((id.as_str(), key.as_str()), ("B2", "KEYB"));
        // Found in two of its nights only, as the first is too far away to be looked at.
        keep(&["n2", "n3", "n4"], vec![object(&[("n3", "C"), ("n4", "D")])]);
        assert_eq!(seen(&store, "n4").expect("joined").2, texts(&["n1", "n3"]));
        assert_eq!(seen(&store, "n2"), None);
        // No longer one: nobody is told so, but the key is kept for its first member.
        keep(&["n1", "n3", "n4"], Vec::new());
        assert_eq!(seen(&store, "n1"), None);
        keep(&["n1", "n2"], vec![object(&[("n1", "A"), ("n2", "X")])]);
        assert_eq!(seen(&store, "n2").expect("joined").1, "KEYB");
    }

    #[test]
    fn two_objects_become_one_and_keep_the_older_key() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let names = ["n1", "n2", "n3", "n4"];
        for name in names {
            let at = Epoch::from_mjd_utc(61_000.0);
            store.begin_night(&night(name), &NightSource::only("/raw"), at).expect("begun");
        }
        store
            .keep_night_objects(
                &[night("n1"), night("n2")],
                vec![object(&[("n1", "A"), ("n2", "B")])],
            )
            .expect("kept");
        store
            .keep_night_objects(
                &[night("n3"), night("n4")],
                vec![object(&[("n3", "C"), ("n4", "D")])],
            )
            .expect("kept");
        // The night between them tells; n1 and n4 are too far to be looked at.
        store
            .keep_night_objects(
                &[night("n2"), night("n3")],
                vec![object(&[("n2", "B"), ("n3", "C")])],
            )
            .expect("kept");
        for name in names {
            let (_, key, others) = seen(&store, name).expect("joined");
            assert_eq!((key.as_str(), others.len()), ("KEYA", 3), "{name}");
        }
    }
}

//! Uses a region in every way there is, as every kind there is, whatever its bytes say.
//!
//! Every call has a deadline or cannot wait. What is read is looked at, so that a wild pointer would show.

use memlane::schema::{Datum, Element, Primitive};
use memlane::value::Number;
use memlane::{
    AnyArray, AnyValue, Array, FramePublisher, FrameSubscriber, Lock, Observer, Record, Region, Result, Space, Text,
    Value, doctor,
};
use std::hint::black_box;
use std::time::Duration;

/// Long enough to sleep at all.
const GLANCE: Duration = Duration::from_micros(50);

/// Opens the region `id` as everything, and uses it as what it turns out to be. Gives back how many ways of opening it
/// there were; errors of the uses are fine.
pub(crate) fn exercise(space: &Space, id: &str) -> usize {
    // Holds the slot, so that all uses are those of one participant.
    let region = Region::open(space, id);
    if let Ok(region) = &region {
        black_box((region.description(), region.version(), region.participants(), region.unlinked()));
    }
    let uses: [fn(&Space, &str) -> Result<()>; 16] = [
        value::<f64>,
        value::<u8>,
        |space, id| any_value(&AnyValue::open(space, id)?),
        |space, id| record(&Record::open(space, id)?),
        array::<f32>,
        array::<u8>,
        array::<u16>,
        array::<u64>,
        |space, id| any_array(&AnyArray::open(space, id)?),
        |space, id| text(&Text::open(space, id)?),
        |space, id| lock(&Lock::open(space, id)?),
        subscribe,
        publish,
        subscribe,
        observe,
        |space, _| drop(black_box((doctor::examine(space), doctor::fix(space)))).into_ok(),
    ];
    uses.iter().filter(|using| using(space, id).is_ok()).count()
}

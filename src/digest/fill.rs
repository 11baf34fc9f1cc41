//! Fills a mail with stories up to its size: in full first, then by headline,
//! then counted.

use jiff::tz::TimeZone;
use minijinja::Environment;
use minijinja::Error;
use minijinja::Value;
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::digest::brief::Story;
use crate::digest::compose::Part;
use crate::digest::story;
use crate::digest::templates::render;
use crate::digest::trend;
use crate::digest::words;

/// Topics shown with a heading of their own.
const TOPICS: usize = 40;
/// Bytes kept free for what is said about stories left out.
const SLACK: usize = 400;

/// The stories of a topic, to be ordered.
pub(super) struct Section<'d> {
    pub(super) id: &'d str,
    pub(super) stories: Vec<&'d Story>,
    pub(super) trend: &'d [u32],
}

impl Section<'_> {
    /// Puts the stories in the order they are read in.
    pub(super) fn order(&mut self) {
        self.stories.sort_by_cached_key(|story| story::rank(story));
    }
}

/// A topic as the templates see it.
#[derive(Debug, Serialize)]
pub(super) struct TopicView {
    name: String,
    /// `US-JAPAN (2)`
    heading: String,
    count: usize,
    spark: String,
    /// Rendered stories.
    stories: Vec<Value>,
    /// `+3 more: burdenwatch digest show 214`, or nothing.
    more: String,
}

/// What is shown of all topics.
#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) shown: Vec<TopicView>,
}

/// Renders `frame` with as many stories as its limit allows.
pub(super) fn within(
    part: Part,
    environment: &Environment<'static>,
    zone: &TimeZone,
    sections: &[Section<'_>],
    show: &str,
    frame: impl Fn(&Topics) -> Result<String, Error>,
) -> Result<String, Error> {
    let shelf = Shelf { part, environment, zone, sections, show };
    let bare = frame(&shelf.stock(0, 0)?)?.len();
    let mut room = part.limit().saturating_sub(bare + SLACK);
    loop {
        // Everything in full if it fits; otherwise the last third goes to headlines alone.
        let mut topics = shelf.stock(room, room)?;
        if topics.shown.iter().any(|topic| !topic.more.is_empty()) {
            topics = shelf.stock(room / 3 * 2, room)?;
        }
        let mail = frame(&topics)?;
        if mail.len() <= part.limit() || room == 0 {
            return Ok(mail);
        }
        // A user's frame may write a story twice.
        room /= 2;
    }
}

/// The stories, and what is needed to render one.
struct Shelf<'s> {
    part: Part,
    environment: &'s Environment<'static>,
    zone: &'s TimeZone,
    sections: &'s [Section<'s>],
    show: &'s str,
}

impl Shelf<'_> {
    /// Takes the best story of each topic, then the second of each, in full until `full`
    /// bytes are spent, by headline until `all`; so no topic pushes out another.
    fn stock(&self, full: usize, all: usize) -> Result<Topics, Error> {
        let mut taken: Vec<Vec<Value>> = self.sections.iter().map(|_| Vec::new()).collect();
        let mut open = vec![true; self.sections.len().min(TOPICS)];
        let (mut spent, mut row) = (0, 0);
        while all > 0 && open.contains(&true) {
            for ((section, taken), open) in self.sections.iter().zip(&mut taken).zip(&mut open) {
                let Some(story) = section.stories.get(row).filter(|_| *open) else {
                    *open = false;
                    continue;
                };
                let mut text = self.story(story, row, spent >= full)?;
                if spent + text.len() > full && spent < full {
                    text = self.story(story, row, true)?;
                }
                *open = spent + text.len() <= all;
                if *open {
                    spent += text.len();
                    taken.push(Value::from_safe_string(text));
                }
            }
            row += 1;
        }
        Ok(self.topics(taken))
    }

    /// Renders one story.
    fn story(&self, story: &Story, row: usize, brief: bool) -> Result<String, Error> {
        let facts = context! { s => Value::from(Serde(story::view(story, self.zone))), n => row + 1, brief, indent => "   " };
        render(self.environment, &format!("story.{}", self.part.suffix()), facts)
    }

    /// Counts what was not taken.
    fn topics(&self, taken: Vec<Vec<Value>>) -> Topics {
        let mut shown: Vec<TopicView> = Vec::new();
        for (section, stories) in self.sections.iter().zip(taken).take(TOPICS) {
            let name = story::topic(section.id);
            let count = section.stories.len();
            shown.push(TopicView {
                heading: format!("{} ({})", name.to_uppercase(), words::thousands(count)),
                name,
                count,
                spark: trend::sparkline(section.trend),
                more: self.more(count - stories.len()),
                stories,
            });
        }
        let rest: usize = self.sections.iter().skip(TOPICS).map(|section| section.stories.len()).sum();
        if rest > 0 {
            let topics = words::count(self.sections.len() - shown.len(), "further topic", "further topics");
            shown.push(TopicView {
                heading: format!("{} ({})", topics.to_uppercase(), words::thousands(rest)),
                name: topics,
                count: rest,
                spark: String::new(),
                stories: Vec::new(),
                more: self.more(rest),
            });
        }
        Topics { shown }
    }

    /// Says how many were left out and where they are.
    fn more(&self, left: usize) -> String {
        if left == 0 { String::new() } else { format!("+{} more: {}", words::thousands(left), self.show) }
    }
}

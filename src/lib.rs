//! burdenwatch watches the news for one subject, defence cost-sharing: who pays for allied troops and common defence.
//!
//! It polls RSS, Atom, RDF and JSON feeds, flags articles with keyword rules in many languages, keeps every match in
//! SQLite, and mails alerts at once and digests on schedule. One binary, one TOML file, one SQLite file, one systemd
//! unit. This page is the architecture document; what an operator or a reader needs is in `README.md`.
//!
//! Three promises, in this order. When a choice is hard, the higher one wins.
//!
//! 1. **Nothing is missed.** An article that a healthy feed showed us and a rule matches is mailed, whatever crashes,
//!    whatever the mail server says, whatever broken bytes came before it in the feed.
//! 2. **Nothing is noise.** One story is one alert, however many outlets carry it; every line says why it is there.
//! 3. **Silence is never ambiguous.** A quiet day's digest comes, is numbered, and says what was read and what fails.
//!
//! # Layers
//!
//! A module imports only from layers above its own in this table. `tests/layering.rs` keeps it so.
//!
//! | layer | module | what it is |
//! |---|---|---|
//! | L0 | [`time`] | the one place that asks what time it is; everyone else is told |
//! | L0 | [`problem`] | a complaint about a file a person wrote: place, caret, hint |
//! | L0, pure | [`news`] | what an article is: bytes into entries, identity, stories, when to poll next |
//! | L0, pure | [`rules`] | the rule language: normal form, patterns, expressions, reasons |
//! | L0, pure | [`digest`] | what a reader gets: chosen, ordered, phrased, as text and HTML |
//! | L1 | [`config`] | TOML into a [`Config`](config::Config) that cannot be wrong, or all mistakes at once |
//! | L2, edge | [`fetch`] | HTTP: conditional, polite, bounded, guarded |
//! | L2, edge | [`store`] | SQLite: the archive, the schedule, the outbox; every SQL statement |
//! | L2, edge | [`mail`] | frozen MIME, and handing it over with a clear outcome |
//! | L3 | [`flow`] | the use cases: a poll, an alert, a digest, a delivery |
//! | L4 | [`daemon`] | whatever waits: tasks, signals, systemd, supervision |
//! | L5 | [`cli`] | one file a subcommand |
//!
//! [`news`], [`rules`] and [`digest`] do not import each other and know no clock, no I/O, no randomness and no async.
//! So `explain` answers exactly as the daemon would, and everything that decides is tested with a table. The three
//! edges do not know each other either: [`flow`] is the only place where a fetch meets the store and the store meets
//! the mail.
//!
//! # Life of an article
//!
//! 1. [`daemon`]'s poller keeps an [`Agenda`](daemon::agenda::Agenda) of feeds by due time and, when one is due and its
//!    host is free, calls [`flow::ingest::poll`].
//! 2. [`Fetcher::get`](fetch::Fetcher::get) makes a conditional request, follows redirects itself so that
//!    [`fetch::guard`] sees every address, and streams the body under a limit counted after decompression.
//! 3. [`news::parse::read`] decodes and reads the bytes into a [`Document`](news::entry::Document): entries, and the
//!    flaws that had to be repaired. A broken entry costs itself, never the feed.
//! 4. [`news::identity::candidates`] gives each [`Entry`](news::entry::Entry) its keys; [`flow::resolve`] asks the
//!    store whether it is new, a revision, or one more sighting of a known article.
//! 5. [`RuleSet::evaluate`](rules::set::RuleSet::evaluate) yields a [`Match`](rules::outcome::Match) with its
//!    [`Hit`](rules::outcome::Hit)s for every rule that fired: set, pattern, field, place in the original text.
//! 6. [`news::story::Index`] tells which recent stories can hold a copy of it ([`flow::recent`] keeps it), and
//!    [`news::story::attach`] finds the one it is a copy in, with evidence, or none.
//! 7. One transaction through [`Store::write`](store::Store::write) commits articles, keys, sightings, matches,
//!    stories, alerts owed, HTTP validators and the next poll's time ([`news::schedule::next_poll`]). A crash before
//!    it repeats the fetch; after it nothing can be lost.
//! 8. [`flow::alerts::compose_due`] and [`flow::digests::compose_due`] gather what is owed and due into
//!    [`digest::brief`] types, have [`digest`] phrase them, and queue one frozen message for each recipient
//!    ([`flow::letters`]), in the transaction that takes what it carries off the list.
//! 9. [`flow::dispatch::deliver_due`] claims rows of the outbox under a lease, hands each to a
//!    [`Session`](mail::Session), and records the [`Outcome`](mail::Outcome). Queued, sending, then sent, deferred,
//!    failed or uncertain.
//!
//! # Invariants
//!
//! Each has a test, or a lint, that fails when it is broken.
//!
//! - The core does no I/O: L0 has no clock, file, socket, randomness or async.
//! - SQL only in [`store`]; [`Tx`](store::Tx) in hand means being inside a transaction.
//! - Validators are never saved before what they validate: both are in one commit.
//! - What makes a mail due and the mail's row are committed together. Nothing in memory has to survive.
//! - A mail's bytes never change once queued, nor does its Message-ID, derived from (what it is about, recipient, kind).
//! - Every claim is a lease with an owner and an end, so a second daemon, or a dead one, never blocks the outbox.
//! - A digest's slot is a local date, never an instant; an item is in one digest of a subscription.
//! - An article's keys outlive its text: what was seen once is known for good.
//! - A rule set or configuration with a mistake is never put to work; the one before stays.
//! - Whatever comes from outside is hostile: every read has a limit in bytes and in time, and no input panics.
//! - Text from feeds is cleaned once, on its way into [`digest`], and escaped again by its templates.
//! - The search index is a copy of the texts: no commit and no start depends on it.
//! - Migrations are append only; a newer schema is refused; an upgrade writes a copy first ([`store::migrations`]).
//! - A failure is logged once, by whoever decides what happens next. Secrets and recipients' addresses are never logged.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | a feed that is read wrongly | `burdenwatch parse`, then [`news::parse`] and [`news::dates`] |
//! | a repeated or a lost article | [`news::identity`], [`news::link`], [`flow::resolve`] |
//! | a story that should be two, or one | `burdenwatch matches show`, then [`news::story`] |
//! | a match that should not be, or is missing | `burdenwatch explain`, then [`rules`] and `config/rules` |
//! | when a feed is polled and why then | [`news::schedule`], `benches/schedule.rs` |
//! | what a server's reply means for a mail | the table in [`mail`], then [`flow::dispatch`] |
//! | when alerts and digests are due | [`flow::alerts`], [`flow::slots`] |
//! | what a subscription is owed when it comes, goes and changes | [`flow::subscribers`], [`flow::digests`] |
//! | what is kept, and for how long | [`flow::retention`] |
//! | how a mail looks | [`digest`], its templates and `tests/snapshots` |
//! | a key of the configuration | `config/burdenwatch.toml`, then the file of its section in `src/config` |
//! | start, stop, reload, watchdog | [`daemon::run`], `systemd/burdenwatch.service` |
//! | `/healthz` and `/metrics` | [`daemon::watch`] |
//! | the schema | `src/store/migrations` |

pub mod cli;
pub mod config;
pub mod daemon;
pub mod digest;
pub mod fetch;
pub mod flow;
pub mod mail;
pub mod news;
pub mod problem;
pub mod rules;
pub mod store;
pub mod time;

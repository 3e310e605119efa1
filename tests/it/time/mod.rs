//! Time: calendars, cron lines, and the dated cases of `time_cases.yaml`.

mod calendar;
mod cases;
mod schedule;

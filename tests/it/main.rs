//! The program from outside, as its users meet it: files, a command line, an exit code, and what is printed.

#![allow(unreachable_pub, reason = "every item of a test is private to it")]

mod action;
mod appending;
mod architecture;
mod baselines;
mod candidates;
mod context;
mod diff;
mod docs;
mod elements;
mod events;
mod examples;
mod exit_codes;
mod fail_open;
mod fake_github;
mod hostile_git;
mod launchers;
mod laundering;
mod ledgers;
mod linked;
mod new_user;
mod nothing_lost;
mod output;
mod policies;
mod posting;
mod project;
mod promoting;
mod record;
mod record_data;
mod records;
mod reproduce;
mod revisions;
mod runner;
mod show;
mod stages;
mod team;
mod team_life;
mod trackers;
mod trust;
mod unusual_files;
mod verifying;
mod waivers;
mod whole_change;

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
mod examples;
mod exit_codes;
mod fail_open;
mod fake_github;
mod hostile_git;
mod ledgers;
mod linked;
mod new_user;
mod output;
mod policies;
mod posting;
mod project;
mod promoting;
mod record;
mod records;
mod reproduce;
mod runner;
mod show;
mod stages;
mod trackers;
mod trust;
mod verifying;
mod waivers;

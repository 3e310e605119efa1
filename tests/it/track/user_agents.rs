//! User agents alone: browsers that people use are people's.

use campaignd::domain::engagement::Agent;
use campaignd::track::rules::user_agent::{Program, program};

/// How a user agent is read when nothing else is known.
pub(crate) fn agent(user_agent: &str) -> Agent {
    match program(Some(user_agent)) {
        Program::Browser | Program::Proxy => Agent::Human,
        Program::Machine | Program::Prefetch => Agent::Machine,
        Program::App | Program::Silent => Agent::Unknown,
    }
}

#[test]
fn of_200_common_browsers_none_is_taken_for_a_machine() {
    let lines = include_str!("browsers.txt").lines();
    let browsers: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(browsers.len() >= 200, "{}", browsers.len());
    let wrong: Vec<_> = browsers
        .iter()
        .filter(|browser| agent(browser) != Agent::Human)
        .map(|browser| browser.trim())
        .collect();
    let share = wrong.len() as f64 / browsers.len() as f64;
    eprintln!("{} of {} common browsers misjudged", wrong.len(), browsers.len());
    assert!(share < 0.005, "misjudged:\n{}", wrong.join("\n"));
}

#[test]
fn programs_are_machines_whatever_they_call_themselves() {
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    let pixel = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    for (user_agent, expected) in [
        ("Mozilla/5.0", Agent::Machine),
        ("Mozilla/5.0 ", Agent::Machine),
        ("Mozilla/5.0 (compatible; SomethingNew/0.1)", Agent::Machine),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Agent::Machine),
        ("MyMailGateway/3.1", Agent::Machine),
        (&format!("{chrome} OurGateway/2.0"), Agent::Machine),
        (&format!("{chrome} Edge/12.246 Mozilla/5.0"), Agent::Machine),
        (&chrome.replace("Windows NT 10.0", "Gateway; Windows NT 10.0"), Agent::Machine),
        (&chrome.replace("like Gecko", "like Gecko; compatible"), Agent::Machine),
        (&chrome.replace("x64)", "x64"), Agent::Machine),
        (&format!("{pixel} UnheardOf/1.0"), Agent::Unknown),
        (&format!("{pixel} (+https://unheard.example)"), Agent::Machine),
        ("", Agent::Unknown),
        (" \t", Agent::Unknown),
        ("((((((", Agent::Machine),
        ("Mozilla/5.0 ()", Agent::Machine),
        ("é", Agent::Machine),
    ] {
        assert_eq!(agent(user_agent), expected, "{user_agent}");
    }
}

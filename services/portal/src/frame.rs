//! What stands around every page: the bar, who is signed in, the notice.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::fault::Fault;
use crate::said::Said;
use crate::session::Caller;
use crate::words;

/// The part of the portal that a page belongs to, marked in the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// What is to be done today.
    MyDay,
    /// The caller's classes and their reviews.
    Classes,
    /// Finding a student, and a student's page.
    Students,
    /// Referrals.
    Referrals,
    /// Needs without support.
    Unmet,
    /// Measures.
    Reports,
    /// Groups and activities.
    Services,
    /// None of them.
    Elsewhere,
}

/// A link of the bar.
#[derive(Debug, Clone)]
pub struct NavLink {
    /// Where it goes.
    pub href: &'static str,
    /// Its words.
    pub label: &'static str,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// Who is signed in, as the bar shows it.
#[derive(Debug, Clone)]
pub struct Who {
    /// Name.
    pub name: String,
    /// Two letters.
    pub initials: String,
    /// Roles in words.
    pub roles: String,
}

/// What stands around a page.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Title of the page.
    pub title: String,
    /// Part of the portal.
    pub area: Area,
    /// Who is signed in; none before sign-in and on pages about trouble.
    pub who: Option<Who>,
    /// Token that forms carry.
    pub csrf: String,
    /// Line on top of the page.
    pub notice: Option<String>,
    /// What the last act answered.
    pub said: Option<Said>,
    partner: bool,
    staff: bool,
    reports: bool,
}

impl Shell {
    /// Around a page for somebody who is signed in.
    pub fn of(caller: &Caller, notice: Option<String>, area: Area, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            area,
            who: Some(Who { name: caller.name.clone(), initials: words::initials(&caller.name), roles: words::roles(&caller.roles) }),
            csrf: caller.csrf.clone(),
            notice,
            said: caller.said.clone(),
            partner: caller.is_partner(),
            staff: caller.sees_students(),
            reports: caller.sees_reports(),
        }
    }

    /// Around a page for anybody.
    pub fn bare(notice: Option<String>, title: impl Into<String>) -> Self {
        Self { title: title.into(), area: Area::Elsewhere, who: None, csrf: String::new(), notice, said: None, partner: false, staff: false, reports: false }
    }

    /// Whether the caller may look students up.
    pub fn finds_students(&self) -> bool {
        self.staff
    }

    /// The links of the bar that this caller has a use for.
    pub fn links(&self) -> Vec<NavLink> {
        let mut links = Vec::new();
        let mut add = |shown: bool, area: Area, href: &'static str, label: &'static str| {
            if shown {
                links.push(NavLink { href, label, current: self.area == area });
            }
        };
        add(self.staff, Area::MyDay, "/", "My day");
        add(self.staff, Area::Classes, "/classes", "Classes");
        add(self.staff, Area::Students, "/students", "Students");
        add(self.staff, Area::Services, "/groups", "Services");
        add(self.staff || self.partner, Area::Referrals, "/referrals", "Referrals");
        add(self.staff, Area::Unmet, "/unmet", "Unmet needs");
        add(self.reports, Area::Reports, "/reports", "Reports");
        links
    }
}

/// Renders a template as a page or fragment. A template that fails is a fault of ours.
pub fn render(template: &impl Template) -> Result<Response, Fault> {
    template.render().map(|html| Html(html).into_response()).map_err(Fault::internal)
}

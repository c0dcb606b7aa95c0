//! What an act answers on the next page: one sentence, and a way back where there is one.

use axum::response::{IntoResponse, Redirect, Response};

use crate::app::Portal;
use crate::auth::own_path;
use crate::fault::Fault;
use crate::form::Post;

/// A form that takes an act back.
#[derive(Debug, Clone)]
pub struct Undo {
    /// Where it is posted.
    pub path: String,
    /// What it carries beside the token.
    pub fields: Vec<(&'static str, String)>,
}

/// One sentence about what was done.
#[derive(Debug, Clone)]
pub struct Said {
    /// The sentence.
    pub words: String,
    /// The way back; none where there is none.
    pub undo: Option<Undo>,
}

impl Said {
    /// A sentence without a way back.
    pub fn plain(words: impl Into<String>) -> Self {
        Self { words: words.into(), undo: None }
    }

    /// A sentence with a way back.
    pub fn with_undo(words: impl Into<String>, path: impl Into<String>, fields: Vec<(&'static str, String)>) -> Self {
        Self { words: words.into(), undo: Some(Undo { path: path.into(), fields }) }
    }
}

impl Portal {
    /// Ends an act: the sentence is kept for the next page, which is the one that the form came from where it says so.
    pub fn done(&self, post: &Post, otherwise: &str, said: Said) -> Result<Response, Fault> {
        self.sessions.say(&post.caller.key, said);
        Ok(Redirect::to(&post.back(otherwise)).into_response())
    }
}

impl Post {
    /// The page that the form came from, where it names one of ours.
    pub fn back(&self, otherwise: &str) -> String {
        let named = self.text("to");
        if named.is_empty() { otherwise.to_owned() } else { own_path(named).to_owned() }
    }
}

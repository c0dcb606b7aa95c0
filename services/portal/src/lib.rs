//! The web pages; a gRPC client of the other services, owns no data.
//!
//! Sign-in is by OpenID Connect; what a caller may see is decided by the services, each asked with the caller's own
//! token. Pages work as plain forms and links, with htmx on top. Everything here may be lost at any moment: sessions
//! live in memory.

pub mod app;
pub mod assets;
pub mod auth;
pub mod clients;
pub mod desk;
pub mod fault;
pub mod form;
pub mod frame;
pub mod lookup;
pub mod pages;
pub mod said;
pub mod session;
pub mod settings;
pub mod words;

pub use app::{App, Portal, router};
pub use settings::PortalSettings;

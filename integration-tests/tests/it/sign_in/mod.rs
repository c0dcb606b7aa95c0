//! Sign-in at a real provider: Keycloak's own pages in a real Chromium, its tokens at every service, its groups and clients.

mod machines;
mod people;
mod place;

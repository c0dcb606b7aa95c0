//! Settings, telemetry, lifecycle, the admin port and the verbs every service answers.

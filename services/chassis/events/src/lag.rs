//! How far a consumer is behind, as a gauge that alerts and autoscalers read.

use std::collections::HashSet;
use std::time::Instant;

use crate::consumer::TELL_LAG;
use crate::log::{LogError, Subscription};

/// What was told last.
#[derive(Default)]
pub(crate) struct Behind {
    told: Option<Instant>,
    partitions: HashSet<(String, i32)>,
}

impl Behind {
    /// Tells it where some time has passed.
    pub(crate) async fn tell(&mut self, schema: &'static str, consumer: &'static str, subscription: &mut dyn Subscription) -> Result<(), LogError> {
        if self.told.is_some_and(|told| told.elapsed() < TELL_LAG) {
            return Ok(());
        }
        self.told = Some(Instant::now());
        let set = |topic: &str, partition: i32, behind: i64| {
            #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^52")]
            metrics::gauge!("consumer_lag_records", "schema" => schema, "consumer" => consumer, "topic" => topic.to_owned(), "partition" => partition.to_string())
                .set(behind as f64);
        };
        let lag = subscription.lag().await?;
        let now: HashSet<(String, i32)> = lag.iter().map(|(topic, partition, _)| (topic.clone(), *partition)).collect();
        // What went to another member is told by that one.
        for (topic, partition) in self.partitions.difference(&now) {
            set(topic, *partition, 0);
        }
        for (topic, partition, behind) in &lag {
            set(topic, *partition, *behind);
        }
        self.partitions = now;
        Ok(())
    }
}

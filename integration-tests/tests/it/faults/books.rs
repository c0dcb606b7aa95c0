//! Balances what was acknowledged, what the sources hold and what reporting says.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::writers::Ledger;

/// Each pair: what the source's own tables say, and what reporting says. Both are one row of text.
const PAIRS: &[(&str, &str, &str)] = &[
    (
        "deliveries",
        "select count(*) || ' deliveries, ' || coalesce(sum(delivered_minutes), 0) || ' minutes' from plans.delivery",
        "select count(*) || ' deliveries, ' || coalesce(sum(delivered_minutes), 0) || ' minutes' from reporting.delivery_fact",
    ),
    (
        "needs as they stand",
        "select coalesce(string_agg(need_id || ' ' || state, ', ' order by need_id), '') from plans.need",
        "select coalesce(string_agg(need_id || ' ' || state, ', ' order by need_id), '') from
             (select distinct on (need_id) need_id, state from reporting.need_fact order by need_id, version desc) now",
    ),
    (
        "every step of every referral",
        "select count(*) || ' steps, ' || count(distinct referral_id) || ' referrals, ' || count(*) filter (where state = 'withdrawn') from partners.referral_step",
        "select count(*) || ' steps, ' || count(distinct referral_id) || ' referrals, ' || count(*) filter (where state = 'withdrawn') from reporting.referral_fact",
    ),
    (
        "student reviews",
        "select string_agg(student_id || ' ' || state, ', ' order by student_id) from reviews.student_review where state in ('reviewed', 'not_reviewed')",
        "select string_agg(student_id || ' ' || state, ', ' order by student_id) from
             (select distinct on (student_id) student_id, state from reporting.student_review_fact order by student_id, version desc) now
         where state in ('reviewed', 'not_reviewed')",
    ),
    (
        "tiers",
        "select count(*) || coalesce(string_agg(tier, ',' order by tier_assignment_id), '') from reviews.tier_assignment",
        "select count(*) || coalesce(string_agg(tier, ',' order by tier_assignment_id), '') from reporting.tier_fact",
    ),
];

async fn text(pool: &PgPool, query: &'static str) -> String {
    sqlx::query_scalar::<_, Option<String>>(query).fetch_one(pool).await.unwrap().unwrap_or_default()
}

async fn differences(pool: &PgPool) -> Vec<String> {
    let mut found = Vec::new();
    for (what, source, reporting) in PAIRS {
        let (source, reporting) = (text(pool, source).await, text(pool, reporting).await);
        if source != reporting {
            found.push(format!("{what}: the source says {source}; reporting says {reporting}"));
        }
    }
    found
}

/// Fails where anything is missing, double or different.
pub async fn balance(database: &str, ledger: &Ledger) {
    let pool = PgPool::connect(database).await.unwrap();
    assert!(
        ledger.deliveries.len() > 100 && ledger.entries.len() > 100 && ledger.needs.len() > 20 && ledger.referrals.len() > 5,
        "too little was done to prove anything"
    );

    let asked: Vec<Uuid> = ledger.deliveries.iter().map(|(id, _)| *id).collect();
    let held: i64 = sqlx::query_scalar("select count(*) from plans.delivery where delivery_id = any($1)").bind(&asked).fetch_one(&pool).await.unwrap();
    assert_eq!(usize::try_from(held).unwrap(), asked.len(), "acknowledged deliveries are missing");

    let (mut ids, mut versions, mut severities) = (vec![], vec![], vec![]);
    for (id, version, severity) in &ledger.entries {
        ids.push(*id);
        versions.push(*version);
        severities.push(*severity);
    }
    let missing: Vec<(Uuid, i64, i32)> = sqlx::query_as(
        "select told.entry_id, told.version, told.severity from unnest($1::uuid[], $2::bigint[], $3::int[]) as told (entry_id, version, severity)
         left join reviews.student_review_revision held on held.entry_id = told.entry_id and held.entry_version = told.version
         where held.severity is distinct from told.severity",
    )
    .bind(ids)
    .bind(versions)
    .bind(severities)
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(missing, [], "acknowledged saves (entry, version, severity) are missing");

    let (ids, states): (Vec<Uuid>, Vec<&str>) = ledger.referrals.iter().copied().unzip();
    let other: Vec<(Uuid, Option<String>)> = sqlx::query_as(
        "select told.referral_id, held.state from unnest($1::uuid[], $2::text[]) as told (referral_id, state)
         left join partners.referral held using (referral_id) where held.state is distinct from told.state",
    )
    .bind(ids)
    .bind(states)
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(other, [], "referrals are in another state than they were brought to");

    let (mut ids, mut versions, mut states) = (vec![], vec![], vec![]);
    for (id, version, state) in &ledger.needs {
        ids.push(*id);
        versions.push(*version);
        states.push(*state);
    }
    let lost: Vec<(Uuid, i64)> = sqlx::query_as(
        "select told.need_id, told.version from unnest($1::uuid[], $2::bigint[], $3::text[]) as told (need_id, version, state)
         left join plans.need held using (need_id) where (held.version > told.version or held.state = told.state) is not true",
    )
    .bind(ids)
    .bind(versions)
    .bind(states)
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(lost, [], "judgements (need, version) are lost");

    // The last kill's partitions are handed on first; then a whole run's events are read on a busy machine.
    let until = Instant::now() + Duration::from_secs(180);
    loop {
        let found = differences(&pool).await;
        if found.is_empty() {
            break;
        }
        assert!(Instant::now() < until, "the books do not balance:\n{}", found.join("\n"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // They stay so: nothing late is applied a second time.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(differences(&pool).await, Vec::<String>::new());
    for schema in ["rosters", "reviews", "plans", "partners", "reporting"] {
        for table in ["outbox", "dead_letter"] {
            let left: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {schema}.{table}"))).fetch_one(&pool).await.unwrap();
            assert_eq!(left, 0, "{schema}.{table} is not empty");
        }
    }
}

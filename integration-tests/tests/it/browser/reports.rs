//! Numbers: the chart and its table agree, and what is small is withheld from those who do not work with the students.

use serde_json::Value;

use super::{REPORTED, Visitor, town};

/// For each bar its labels, and for each row of the table its cells.
const CHART_AND_TABLE: &str = "const bars = [];
    document.querySelectorAll('section[aria-labelledby=tiers] figure > svg text').forEach((t) => {
      if (t.classList.contains('strong')) bars.push([t.textContent.trim()]); else bars[bars.length - 1].push(t.textContent.trim());
    });
    const rows = Array.from(document.querySelectorAll('section[aria-labelledby=tiers] tbody tr')).map((r) => Array.from(r.cells).map((c) => c.textContent.trim()));
    return [bars, rows];";

fn rows(value: &Value) -> Vec<Vec<String>> {
    value.as_array().unwrap().iter().map(super::strings).collect()
}

#[tokio::test]
async fn the_chart_has_a_table_of_the_same_numbers_and_small_ones_are_withheld() {
    let town = town().await;
    let coordinator = Visitor::sign_in(town, "coordinator").await;
    let reviewed = town.rooms[REPORTED].students.len();
    coordinator
        .browser
        .until("the report has heard of the review", async || {
            coordinator.browser.open(&town.portal("/reports")).await;
            let read = coordinator.browser.script(CHART_AND_TABLE).await;
            rows(&read[1]).iter().any(|row| row.last().and_then(|all| all.parse::<usize>().ok()).is_some_and(|all| all >= reviewed))
        })
        .await;
    coordinator.look("the report of a coordinator").await;
    let read = coordinator.browser.script(CHART_AND_TABLE).await;
    let (bars, table) = (rows(&read[0]), rows(&read[1]));
    assert!(!bars.is_empty() && bars.len() == table.len(), "{bars:?} {table:?}");
    for (bar, row) in bars.iter().zip(&table) {
        assert!(row[0].starts_with(bar[0].trim_end_matches('…').trim_end_matches('.')), "{bar:?} {row:?}");
        for label in &bar[1..] {
            assert!(row[1..5].contains(label), "{label} stands in the chart and not in the table: {bar:?} {row:?}");
        }
    }

    let leader = Visitor::sign_in(town, "district-leader").await;
    leader.open(&town.portal("/reports"), "the report of a district leader").await;
    let said = leader.browser.text("main").await;
    assert!(said.contains("withheld"), "{said}");
    assert!(!leader.browser.texts(".withheld").await.is_empty(), "{said}");
    let read = leader.browser.script(CHART_AND_TABLE).await;
    for row in rows(&read[1]) {
        for cell in &row[1..] {
            let small = cell.parse::<u32>().is_ok_and(|number| (1..10).contains(&number));
            assert!(!small, "{cell} is too small to be shown: {row:?}");
        }
    }
    for bar in rows(&read[0]) {
        assert!(bar[1..].iter().all(|label| !label.parse::<u32>().is_ok_and(|number| (1..10).contains(&number))), "{bar:?}");
    }
    coordinator.open(&town.portal("/unmet"), "unmet needs").await;
    leader.open(&town.portal("/unmet"), "unmet needs, for a district leader").await;
    assert!(leader.browser.texts("main a[href^='/students/']").await.is_empty(), "a district leader sees no student");
    coordinator.leave();
    leader.leave();
}

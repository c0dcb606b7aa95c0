//! The report at the story's end.

use proto::reporting::v1::{Cell, GetMeasureRequest, ListMeasuresRequest, Withheld};

use super::chain::Figure;
use crate::acting::{Person, Services, Told as _, eventually};

/// Every measure for one school, as its coordinator sees it. Waits until the read models have heard of the closed referral.
pub async fn figures(services: &Services, who: &Person, school: &str, school_year: i32) -> anyhow::Result<Vec<Figure>> {
    let measures = services.reporting().list_measures(who.asks(ListMeasuresRequest {})).await.told("list the measures")?.measures;
    // Of the measures on referrals the one that counts today's: the closed-loop rate looks at those sent a month ago.
    let judged = measures.iter().find(|m| m.measure_id == "RF-6");
    if let Some(measure) = judged {
        eventually("wait for the closed referral to show in the report", || async {
            let cell = whole(services, who, &measure.measure_id, school, school_year).await?;
            Ok(cell.and_then(|c| c.numerator).filter(|n| *n > 0))
        })
        .await?;
    }
    let mut figures = Vec::new();
    for measure in &measures {
        let Some(cell) = whole(services, who, &measure.measure_id, school, school_year).await? else { continue };
        figures.push(Figure {
            measure: measure.measure_id.clone(),
            title: measure.title.clone(),
            numerator: cell.numerator,
            denominator: cell.denominator,
            value: cell.value,
            withheld: match cell.withheld() {
                Withheld::Unspecified => String::new(),
                Withheld::Small => "fewer students than may be shown".to_owned(),
                Withheld::Complementary => "would give a small number away".to_owned(),
            },
        });
    }
    Ok(figures)
}

async fn whole(services: &Services, who: &Person, measure: &str, school: &str, school_year: i32) -> anyhow::Result<Option<Cell>> {
    let request =
        GetMeasureRequest { measure_id: measure.to_owned(), school_id: school.to_owned(), school_year, group_by: String::new(), as_of_date: String::new() };
    Ok(services.reporting().get_measure(who.asks(request)).await.told(&format!("read the measure {measure}"))?.cells.into_iter().next())
}

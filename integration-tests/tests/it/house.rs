//! One district that tests share which only look, or write where nobody else looks: two schools, reviews under way in
//! three classes, plans, two partners and a referral to each.

use integration_tests::acts::{
    Need, add_referral_item, complete, done, new_id, open_cycle, partner_with_service, plan_with, put_need, refer, start_review, today,
};
use integration_tests::clients::Clients;
use integration_tests::district::{District, DistrictOptions};
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::partners::v1::{Partner, Referral, Service};
use proto::reviews::v1::{ClassReview, ReviewCycle};
use proto::rosters::v1::{
    Class, ListClassMembersRequest, ListClassMembersResponse, ListClassesRequest, ListSchoolsRequest, ListStaffRequest, School, StaffMember,
};
use proto::r#type::v1::Sensitivity;
use tokio::sync::OnceCell;
use wraparound::generate::{DistrictSpec, generate, school_year_of};

/// A class and what is about it.
#[derive(Clone, Debug)]
pub struct Room {
    pub school: School,
    pub class: Class,
    pub teacher: StaffMember,
    pub students: Vec<String>,
    pub review: ClassReview,
}

impl Room {
    /// The student whom everything is written about.
    pub fn student(&self) -> &str {
        &self.students[0]
    }
}

/// The needs of one student, by what they are to be called.
#[derive(Clone, Debug)]
pub struct Needs {
    pub general: String,
    /// Of social and emotional life, of health, and of academics, in this order.
    pub restricted: [String; 3],
    pub protected: String,
}

/// The shared district and who is in it.
pub struct House {
    pub district: District,
    pub cycle: ReviewCycle,
    /// Two rooms of the first school, with different teachers, and one of the second.
    pub rooms: [Room; 3],
    /// Coordinators of the first and of the second school.
    pub coordinators: [Claims; 2],
    /// Of the student of the first room, all written by the coordinator but the general one, which is the teacher's.
    pub needs: Needs,
    pub partners: [(Partner, Service); 2],
    /// Of the first room's student to the first partner, and of the last room's to the second.
    pub referrals: [Referral; 2],
}

/// Words that stand in the note of each restricted or protected entry.
pub const CLOSED_NOTE: &str = "closednotemarker";

/// The shared district.
pub async fn house() -> &'static House {
    static HOUSE: OnceCell<House> = OnceCell::const_new();
    HOUSE.get_or_init(build).await
}

/// A fictional roster.
pub fn roster(schools: u64, students: u64, seed: u64) -> Vec<u8> {
    let mut zip = std::io::Cursor::new(Vec::new());
    generate(&DistrictSpec { schools, students, seed, school_year: school_year_of(today()) }, &mut zip, |_, _| ()).unwrap();
    zip.into_inner()
}

async fn members(who: &Clients, class_id: &str) -> ListClassMembersResponse {
    let request = ListClassMembersRequest { class_id: class_id.to_owned(), as_of_date: String::new() };
    done("list members", who.clone().rosters.list_class_members(request).await)
}

/// Classes on which reviews are held, of one school, each with its teacher and students.
pub async fn rooms_of(who: &Clients, school: &School) -> Vec<Room> {
    let request = ListClassesRequest { school_id: school.school_id.clone(), review_units_only: true, page_size: 500, page_token: String::new() };
    let mut rooms = Vec::new();
    for class in done("list classes", who.clone().rosters.list_classes(request).await).classes {
        let members = members(who, &class.class_id).await;
        if let (Some(teacher), true) = (members.staff.first(), members.students.len() > 1) {
            let students = members.students.iter().map(|student| student.student_id.clone()).collect();
            rooms.push(Room { school: school.clone(), class, teacher: teacher.clone(), students, review: ClassReview::default() });
        }
    }
    rooms
}

/// The district's schools.
pub async fn schools(who: &Clients) -> Vec<School> {
    done("list schools", who.clone().rosters.list_schools(ListSchoolsRequest { page_size: 500, ..ListSchoolsRequest::default() }).await).schools
}

/// The coordinator that the roster names for a school.
pub async fn coordinator_of(who: &Clients, school: &School) -> Claims {
    let request = ListStaffRequest { school_id: school.school_id.clone(), role: "coordinator".to_owned(), page_size: 0, page_token: String::new() };
    let staff = done("list staff", who.clone().rosters.list_staff(request).await).staff;
    Claims::staff(&staff.first().unwrap_or_else(|| panic!("{} has a coordinator", school.name)).staff_id)
}

async fn build() -> House {
    let district = District::start(DistrictOptions::default()).await;
    district.clients(&Claims::role("data_clerk")).import_all(roster(2, 160, 11)).await;
    let manager = district.clients(&Claims::role("program_manager"));
    let schools = schools(&manager).await;
    assert_eq!(schools.len(), 2, "{schools:?}");

    let near = rooms_of(&manager, &schools[0]).await;
    let first = near.first().expect("a class with a teacher and students").clone();
    let apart = |room: &&Room| room.teacher.staff_id != first.teacher.staff_id && !room.students.iter().any(|s| first.students.contains(s));
    let second = near.iter().find(apart).expect("a class of another teacher").clone();
    let third = rooms_of(&manager, &schools[1]).await.first().expect("a class at the other school").clone();
    let coordinators = [coordinator_of(&manager, &schools[0]).await, coordinator_of(&manager, &schools[1]).await];
    let [here, there] = [district.clients(&coordinators[0]), district.clients(&coordinators[1])];

    let cycle = open_cycle(&manager).await;
    let mut rooms = [first, second, third];
    for (room, coordinator) in rooms.iter_mut().zip([&here, &here, &there]) {
        room.review = start_review(coordinator, &cycle, &room.class.class_id).await;
    }
    let [first, second, third] = &rooms;
    let teacher = district.clients(&Claims::staff(&first.teacher.staff_id));
    let needs = needs_of(&teacher, &here, first).await;
    complete(&here, &first.review, first.student()).await;
    let open = Need { code: "ACA-MAT", severity: 2, sensitivity: Sensitivity::General, note: "" };
    put_need(&here, &second.review, second.student(), open).await;
    complete(&here, &second.review, second.student()).await;
    let far = put_need(&there, &third.review, third.student(), open).await;
    complete(&there, &third.review, third.student()).await;

    let directory = district.clients(&Claims::role("partnership_manager"));
    let partners = [
        partner_with_service(&directory, "Riverside Tutors (fictional)", "ED-TUT", 5).await,
        partner_with_service(&directory, "Hillside Tutors (fictional)", "ED-TUT", 5).await,
    ];
    let plan = plan_with(&here, first.student(), 5).await;
    let item = add_referral_item(&here, &plan, &needs.general, "ED-TUT", "reading group").await;
    let near = refer(&here, first.student(), (&needs.general, "ACA-RDG"), &item.plan_item_id, &partners[0].1, &["identity", "plan_item"]).await;
    let plan = plan_with(&there, third.student(), 1).await;
    let item = add_referral_item(&there, &plan, &far, "ED-TUT", "number group").await;
    let away = refer(&there, third.student(), (&far, "ACA-MAT"), &item.plan_item_id, &partners[1].1, &["identity"]).await;
    House { cycle, rooms, coordinators, needs, partners, referrals: [near, away], district }
}

/// A need of every kind for the first student of a room.
async fn needs_of(teacher: &Clients, coordinator: &Clients, room: &Room) -> Needs {
    let (review, student) = (&room.review, room.student());
    let general = Need { code: "ACA-RDG", severity: 2, sensitivity: Sensitivity::General, note: "reads slowly" };
    // A teacher is let in once the roster's news of their classes has arrived.
    eventually("the teacher sees the review", || {
        let (mut teacher, class_review_id) = (teacher.clone(), review.class_review_id.clone());
        async move { teacher.reviews.get_class_review(proto::reviews::v1::GetClassReviewRequest { class_review_id }).await.ok() }
    })
    .await;
    let general = put_need(teacher, review, student, general).await;
    let closed = |code, sensitivity| Need { code, severity: 2, sensitivity, note: CLOSED_NOTE };
    Needs {
        general,
        restricted: [
            put_need(coordinator, review, student, closed("SEB-ANX", Sensitivity::Restricted)).await,
            put_need(coordinator, review, student, closed("HLT-DEN", Sensitivity::Restricted)).await,
            put_need(coordinator, review, student, closed("ACA-SPE", Sensitivity::Restricted)).await,
        ],
        protected: put_need(coordinator, review, student, closed("SEB-SUI", Sensitivity::Protected)).await,
    }
}

/// An id that nothing has.
pub fn unknown() -> String {
    new_id()
}

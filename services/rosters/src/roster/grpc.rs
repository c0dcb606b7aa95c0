//! The RosterService on the wire: who may see it, and how it is written. No SQL, no rules.

use std::collections::BTreeSet;

use chassis_access::caller::DISTRICT;
use chassis_access::{AccessError, Caller, Granted, Record, Sensitivity};
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use proto::rosters::v1 as wire;
use proto::rosters::v1::roster_service_server::RosterService;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::error::RosterError;
use super::people::{self, Staff, Student};
use super::places::{self, Class, ClassFilter, School};
use super::{Roster, Within, who};
use crate::tally::{self, GroupBy};
use crate::{matching, naming};

/// Ids of one batch at the most.
const MAX_BATCH: usize = 200;

#[tonic::async_trait]
impl RosterService for Roster {
    async fn match_students(&self, request: Request<wire::MatchStudentsRequest>) -> Result<Response<wire::MatchStudentsResponse>, Status> {
        const ACTION: &str = "rosters.MatchStudents";
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let school = parser.uuid("school_id", &request.get_ref().school_id);
        let clues = matching::grpc::read_clues(&mut parser, &request.get_ref().clues);
        parser.finish().or_status()?;
        let granted = self.access.authorize(&caller, ACTION, &Record::school(school)).or_status()?;
        let found = matching::match_students(&mut *self.connection().await.or_status()?, school, &clues).await.or_status()?;
        let matches: Vec<_> = found.into_iter().map(matching::grpc::render_match).collect();
        let taken = matches.iter().filter(|found| !found.student_id.is_empty()).count();
        self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::General, Some(school), taken).await.or_status()?;
        Ok(Response::new(wire::MatchStudentsResponse { matches, access_basis: granted.basis }))
    }

    async fn tally_student_groups(&self, request: Request<wire::TallyStudentGroupsRequest>) -> Result<Response<wire::TallyStudentGroupsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let by = GroupBy::named(&message.group_by);
        if by.is_none() {
            parser.violation("group_by", "must be one of sex, race, grade");
        }
        let (labels, students) = tally::read_labelled(&mut parser, &message.labelled);
        parser.finish().or_status()?;
        self.access.authorize(&caller, "rosters.TallyStudentGroups", &Record::district()).or_status()?;
        let tallies = match by {
            Some(by) => tally::repo::tally(&mut *self.connection().await.or_status()?, by, &labels, &students).await.or_status()?,
            None => Vec::new(),
        };
        Ok(Response::new(wire::TallyStudentGroupsResponse { tallies: tallies.into_iter().map(tally::render_tally).collect() }))
    }

    async fn list_schools(&self, request: Request<wire::ListSchoolsRequest>) -> Result<Response<wire::ListSchoolsResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.list_schools_for(&caller, request.into_inner()).await.or_status().map(Response::new)
    }

    async fn get_school(&self, request: Request<wire::GetSchoolRequest>) -> Result<Response<wire::GetSchoolResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let id = parser.uuid("school_id", &request.get_ref().school_id);
        parser.finish().or_status()?;
        let granted = self.access.authorize(&caller, "rosters.GetSchool", &Record::school(id)).or_status()?;
        let school = places::find_school(&mut *self.connection().await.or_status()?, id).await.or_status()?;
        let school = school.ok_or_else(|| denied("rosters.GetSchool")).or_status()?;
        Ok(Response::new(wire::GetSchoolResponse { school: Some(render_school(school)), access_basis: granted.basis }))
    }

    async fn list_classes(&self, request: Request<wire::ListClassesRequest>) -> Result<Response<wire::ListClassesResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.list_classes_for(&caller, request.into_inner()).await.or_status().map(Response::new)
    }

    async fn get_class(&self, request: Request<wire::GetClassRequest>) -> Result<Response<wire::GetClassResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let id = parser.uuid("class_id", &request.get_ref().class_id);
        parser.finish().or_status()?;
        let (granted, class) = self.class_for(&caller, "rosters.GetClass", id).await.or_status()?;
        Ok(Response::new(wire::GetClassResponse { class: Some(render_class(class)), access_basis: granted.basis }))
    }

    async fn list_class_members(&self, request: Request<wire::ListClassMembersRequest>) -> Result<Response<wire::ListClassMembersResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.list_class_members_for(&caller, request.into_inner()).await.or_status().map(Response::new)
    }

    async fn get_student(&self, request: Request<wire::GetStudentRequest>) -> Result<Response<wire::GetStudentResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.get_student_for(&caller, request.into_inner()).await.or_status().map(Response::new)
    }

    async fn batch_get_students(&self, request: Request<wire::BatchGetStudentsRequest>) -> Result<Response<wire::BatchGetStudentsResponse>, Status> {
        const ACTION: &str = "rosters.BatchGetStudents";
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let ids = parser.uuids("student_ids", &request.get_ref().student_ids, MAX_BATCH);
        parser.finish().or_status()?;
        let scope = self.access.scope(&caller, ACTION).or_status()?;
        let students = people::find_students(&mut *self.connection().await.or_status()?, &ids, &Within::from(&scope)).await.or_status()?;
        self.access.log_read(&caller, ACTION, &scope.basis, Sensitivity::General, None, students.len()).await.or_status()?;
        let students = students.into_iter().map(|student| render_student(student, None)).collect();
        Ok(Response::new(wire::BatchGetStudentsResponse { students, access_basis: scope.basis }))
    }

    async fn search_students(&self, request: Request<wire::SearchStudentsRequest>) -> Result<Response<wire::SearchStudentsResponse>, Status> {
        const ACTION: &str = "rosters.SearchStudents";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let query = parser.required_text("query", &message.query, 100);
        let words: Vec<String> = naming::words(&query).take(8).collect();
        if words.iter().map(|word| word.chars().count()).sum::<usize>() < 2 {
            parser.violation("query", "must have at least two letters or digits");
        }
        let school = parser.optional_uuid("school_id", &message.school_id);
        let size = parser.page_size(message.page_size, 20, 50);
        parser.finish().or_status()?;
        let scope = self.access.scope(&caller, ACTION).or_status()?;
        let students = people::search_students(&mut *self.connection().await.or_status()?, &words, school, &Within::from(&scope), size).await.or_status()?;
        let students = students.into_iter().map(|student| render_student(student, None)).collect();
        Ok(Response::new(wire::SearchStudentsResponse { students, access_basis: scope.basis }))
    }

    async fn get_caller(&self, request: Request<wire::GetCallerRequest>) -> Result<Response<wire::GetCallerResponse>, Status> {
        let caller = Caller::of(&request)?;
        let scope = self.access.scope(&caller, "rosters.GetCaller").or_status()?;
        Ok(Response::new(who::render(&caller, scope.basis)))
    }

    async fn batch_get_staff(&self, request: Request<wire::BatchGetStaffRequest>) -> Result<Response<wire::BatchGetStaffResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let ids = parser.uuids("staff_ids", &request.get_ref().staff_ids, MAX_BATCH);
        parser.finish().or_status()?;
        // Colleagues' names are no secret among staff; the gate has looked at the role.
        let scope = self.access.scope(&caller, "rosters.BatchGetStaff").or_status()?;
        let staff = people::find_staff(&mut *self.connection().await.or_status()?, &ids).await.or_status()?;
        Ok(Response::new(wire::BatchGetStaffResponse { staff: staff.into_iter().map(render_staff).collect(), access_basis: scope.basis }))
    }

    async fn list_staff(&self, request: Request<wire::ListStaffRequest>) -> Result<Response<wire::ListStaffResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let school = parser.uuid("school_id", &message.school_id);
        let role = parser.text("role", &message.role, 100);
        parser.finish().or_status()?;
        let filter = format!("{school}/{role}");
        let page = PageToken::page(message.page_size, &message.page_token, &filter, 100, 500).or_status()?;
        let granted = self.access.authorize(&caller, "rosters.ListStaff", &Record::school(school)).or_status()?;
        let mut staff = people::list_staff(&mut *self.connection().await.or_status()?, school, &role, page.after, page.size + 1).await.or_status()?;
        let next_page_token = PageToken::cut(&mut staff, page.size, &filter, |member| (member.sort_name.clone(), member.staff_id));
        let staff = staff.into_iter().map(render_staff).collect();
        Ok(Response::new(wire::ListStaffResponse { staff, next_page_token, access_basis: granted.basis }))
    }
}

impl Roster {
    async fn connection(&self) -> Result<PoolConnection<Postgres>, RosterError> {
        Ok(self.pool.acquire().await?)
    }

    async fn list_schools_for(&self, caller: &Caller, message: wire::ListSchoolsRequest) -> Result<wire::ListSchoolsResponse, RosterError> {
        let page = PageToken::page(message.page_size, &message.page_token, if message.all { "all schools" } else { "schools" }, 100, 500)?;
        let scope = self.access.scope(caller, "rosters.ListSchools")?;
        let mut within = Within::from(&scope);
        // All staff may know all schools; those who work at some want these.
        let own = caller.schools();
        let everywhere = caller.at.values().any(|schools| schools.contains(&DISTRICT));
        if within.everything && !message.all && !everywhere && !own.is_empty() {
            within = Within { everything: false, schools: own.into_iter().collect(), classes: caller.teaches.iter().copied().collect() };
        }
        let mut schools = places::list_schools(&mut *self.connection().await?, &within, page.after, page.size + 1).await?;
        let next_page_token =
            PageToken::cut(&mut schools, page.size, if message.all { "all schools" } else { "schools" }, |school| (school.sort_name.clone(), school.school_id));
        let schools = schools.into_iter().map(render_school).collect();
        Ok(wire::ListSchoolsResponse { schools, next_page_token, access_basis: scope.basis })
    }

    async fn list_classes_for(&self, caller: &Caller, message: wire::ListClassesRequest) -> Result<wire::ListClassesResponse, RosterError> {
        let mut parser = Parser::new();
        let school = parser.optional_uuid("school_id", &message.school_id);
        parser.finish()?;
        let filter = format!("{school:?}/{}", message.review_units_only);
        let page = PageToken::page(message.page_size, &message.page_token, &filter, 100, 500)?;
        let scope = self.access.scope(caller, "rosters.ListClasses")?;
        let wanted = ClassFilter { school, class: None, review_units_only: message.review_units_only, within: Within::from(&scope) };
        let mut classes = places::list_classes(&mut *self.connection().await?, &wanted, page.after, page.size + 1).await?;
        let next_page_token = PageToken::cut(&mut classes, page.size, &filter, |class| (class.sort_title.clone(), class.class_id));
        let classes = classes.into_iter().map(render_class).collect();
        Ok(wire::ListClassesResponse { classes, next_page_token, access_basis: scope.basis })
    }

    /// A class that the caller may see. Decided on the roster itself, not on what events told of it.
    async fn class_for(&self, caller: &Caller, action: &str, id: Uuid) -> Result<(Granted, Class), RosterError> {
        let class = places::find_class(&mut *self.connection().await?, id).await?;
        let schools: BTreeSet<Uuid> = class.iter().map(|class| class.school_id).collect();
        let granted = self.access.authorize(caller, action, &Record { classes: BTreeSet::from([id]), schools, ..Record::default() })?;
        Ok((granted, class.ok_or_else(|| denied(action))?))
    }

    async fn list_class_members_for(&self, caller: &Caller, message: wire::ListClassMembersRequest) -> Result<wire::ListClassMembersResponse, RosterError> {
        const ACTION: &str = "rosters.ListClassMembers";
        let mut parser = Parser::new();
        let id = parser.uuid("class_id", &message.class_id);
        let on = parser.optional_date("as_of_date", &message.as_of_date).unwrap_or_else(chassis_clock::today);
        parser.finish()?;
        let (granted, _) = self.class_for(caller, ACTION, id).await?;
        let mut conn = self.connection().await?;
        let students = people::students_of_class(&mut conn, id, on).await?;
        let staff = people::staff_of_class(&mut conn, id, on).await?;
        self.access.log_read(caller, ACTION, &granted.basis, Sensitivity::General, Some(id), students.len()).await?;
        Ok(wire::ListClassMembersResponse {
            students: students.into_iter().map(|student| render_student(student, None)).collect(),
            staff: staff.into_iter().map(render_staff).collect(),
            access_basis: granted.basis,
        })
    }

    async fn get_student_for(&self, caller: &Caller, message: wire::GetStudentRequest) -> Result<wire::GetStudentResponse, RosterError> {
        const ACTION: &str = "rosters.GetStudent";
        let mut parser = Parser::new();
        let id = parser.uuid("student_id", &message.student_id);
        parser.finish()?;
        let mut conn = self.connection().await?;
        let everybody = Within { everything: true, ..Within::default() };
        let student = people::find_students(&mut conn, &[id], &everybody).await?.pop();
        let (classes, schools) = student.as_ref().map(|s| (s.class_ids.iter().copied().collect(), s.school_ids.iter().copied().collect())).unwrap_or_default();
        let record = Record { classes, schools, ..Record::default() };
        let granted = self.access.authorize(caller, ACTION, &record)?;
        let student = student.ok_or_else(|| denied(ACTION))?;
        // The day of birth is with the restricted health record: coordinators and nurses read it.
        let birth_date = if self.access.clearance(caller, &record).restricted("health") { people::birth_date(&mut conn, id).await? } else { None };
        if birth_date.is_some() {
            self.access.log_read(caller, ACTION, &granted.basis, Sensitivity::Restricted, Some(id), 1).await?;
        }
        Ok(wire::GetStudentResponse { student: Some(render_student(student, birth_date)), access_basis: granted.basis })
    }
}

/// What is not there looks like what is forbidden.
fn denied(action: &str) -> AccessError {
    AccessError::Denied { action: action.to_owned() }
}

fn count(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn day(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn render_school(school: School) -> wire::School {
    wire::School { school_id: school.school_id.to_string(), name: school.name, identifier: school.identifier, student_count: count(school.student_count) }
}

fn render_class(class: Class) -> wire::Class {
    wire::Class {
        class_id: class.class_id.to_string(),
        school_id: class.school_id.to_string(),
        title: class.title,
        grades: class.grades,
        review_unit: class.review_unit,
        student_count: count(class.student_count),
        first_on: day(class.first_on),
        last_on: day(class.last_on),
    }
}

fn render_student(student: Student, birth_date: Option<NaiveDate>) -> wire::Student {
    wire::Student {
        student_id: student.student_id.to_string(),
        display_name: student.display_name,
        sort_name: student.sort_name,
        grade: student.grade,
        school_ids: texts(&student.school_ids),
        class_ids: texts(&student.class_ids),
        birth_date: day(birth_date),
    }
}

fn render_staff(staff: Staff) -> wire::StaffMember {
    wire::StaffMember { staff_id: staff.staff_id.to_string(), display_name: staff.display_name, roles: staff.roles, school_ids: texts(&staff.school_ids) }
}

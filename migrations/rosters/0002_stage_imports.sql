-- Rows of the package in hand, as read. Filled and emptied within one import's transaction, one import at a time.
-- Unlogged: nothing here outlives its transaction, so nothing needs recovery.

create unlogged table rosters.stage_org (
    line bigint not null, new_id uuid not null, source_id text collate "C" not null, deleted boolean not null default false,
    name text, type text, identifier text, parent_id text collate "C"
);
create unlogged table rosters.stage_session (
    line bigint not null, new_id uuid not null, source_id text collate "C" not null, deleted boolean not null default false,
    title text, type text, start_on date, end_on date, parent_id text collate "C", school_year integer
);
create unlogged table rosters.stage_course (
    line bigint not null, new_id uuid not null, source_id text collate "C" not null, deleted boolean not null default false,
    title text, school_year_id text collate "C", org_id text collate "C"
);
create unlogged table rosters.stage_class (
    line bigint not null, new_id uuid not null, source_id text collate "C" not null, deleted boolean not null default false,
    title text, grades text[], course_id text collate "C", class_code text, class_type text, school_id text collate "C", term_ids text[] collate "C"
);
create unlogged table rosters.stage_user (
    line bigint not null, new_id uuid not null, source_id text collate "C" not null, deleted boolean not null default false,
    org_ids text[] collate "C", role text, given_name text, family_name text, middle_name text, identifier text, email text,
    agent_ids text[] collate "C", grades text[], master_id text collate "C", preferred_given_name text, preferred_family_name text,
    primary_org_id text collate "C", display_name text not null, sort_name text not null, search_text text
);
create unlogged table rosters.stage_role (
    line bigint not null, source_id text collate "C" not null, deleted boolean not null default false,
    user_id text collate "C", role_type text, role text, begin_on date, end_on date, org_id text collate "C",
    -- Made from users.csv, whose findings name that file.
    from_users boolean not null default false
);
create unlogged table rosters.stage_enrollment (
    line bigint not null, source_id text collate "C" not null, deleted boolean not null default false,
    class_id text collate "C", school_id text collate "C", user_id text collate "C", role text, is_primary boolean, begin_on date, end_on date
);
create unlogged table rosters.stage_demographics (
    line bigint not null, source_id text collate "C" not null, deleted boolean not null default false,
    birth_date date, sex text, american_indian_or_alaska_native boolean, asian boolean,
    black_or_african_american boolean, native_hawaiian_or_other_pacific_islander boolean, white boolean,
    two_or_more_races boolean, hispanic_or_latino boolean
);

-- What the source's ids stand for in this run. `live` is false for rows that the source marks deleted.
create unlogged table rosters.map_org (
    source_id text collate "C" not null, org_id uuid not null, type text not null, is_school boolean not null, live boolean not null
);
create unlogged table rosters.map_class (
    source_id text collate "C" not null, class_id uuid not null, school_source_id text collate "C", live boolean not null
);
create unlogged table rosters.map_person (
    source_id text collate "C" not null, person_id uuid not null, kind text not null, is_new boolean not null, live boolean not null,
    -- Row of this package; false for people whom we hold and a delta only refers to.
    staged boolean not null
);
-- The schools that students have by this package.
create unlogged table rosters.wanted_enrolment (
    school_id uuid not null, student_id uuid not null, is_primary boolean not null
);
-- Who is whose guardian by this package.
create unlogged table rosters.wanted_guardian (student_id uuid not null, guardian_id uuid not null);

-- People, schools and classes, and how they came in. The only schema that holds names.
--
-- Ids of the source are opaque: they compare byte by byte, whatever the database's language (collate "C").
-- There are no foreign keys between the large tables: an import writes them set by set from rows whose references it has
-- resolved in the same transaction, and checking half a million rows one by one would cost more than the import itself.

-- Schools, and the district and departments above them.
create table rosters.org (
    org_id        uuid        not null,
    source_id     text collate "C" not null,
    name          text        not null,
    type          text        not null,
    identifier    text,
    is_school     boolean     not null,
    active        boolean     not null default true,
    missing_since timestamptz,
    constraint org_pkey primary key (org_id),
    constraint org_source_id_key unique (source_id)
);
create index org_name_idx on rosters.org (lower(name), org_id) where is_school;

create table rosters.academic_session (
    session_id  uuid    not null,
    source_id   text collate "C" not null,
    title       text    not null,
    type        text    not null,
    start_on    date    not null,
    end_on      date    not null,
    school_year integer,
    active      boolean not null default true,
    constraint academic_session_pkey primary key (session_id),
    constraint academic_session_source_id_key unique (source_id)
);

create table rosters.course (
    course_id uuid    not null,
    source_id text collate "C" not null,
    title     text    not null,
    active    boolean not null default true,
    constraint course_pkey primary key (course_id),
    constraint course_source_id_key unique (source_id)
);

create table rosters.class_section (
    class_id      uuid        not null,
    source_id     text collate "C" not null,
    school_id     uuid        not null,
    title         text        not null,
    grades        text[]      not null,
    type          text        not null,
    course_id     uuid,
    review_unit   boolean     not null,
    active        boolean     not null default true,
    missing_since timestamptz,
    constraint class_section_pkey primary key (class_id),
    constraint class_section_source_id_key unique (source_id)
);
create index class_section_school_idx on rosters.class_section (school_id, lower(title), class_id);

create table rosters.person (
    person_id            uuid        not null,
    kind                 text        not null,
    given_name           text,
    middle_name          text,
    family_name          text,
    preferred_given_name  text,
    preferred_family_name text,
    display_name         text        not null,
    sort_name            text        not null,
    identifier           text,
    email                text,
    grade                text,
    -- Words of a student's names and number in plain small letters, a blank before each; search is by their beginnings.
    search_text          text,
    active               boolean     not null default true,
    missing_since        timestamptz,
    constraint person_pkey primary key (person_id),
    constraint person_kind_check check (kind in ('student', 'staff', 'guardian'))
);
create index person_missing_idx on rosters.person (missing_since) where missing_since is not null;

-- The names by which sources know a person. One child may be several rows there.
create table rosters.source_identity (
    source_id text collate "C" not null,
    person_id uuid not null,
    constraint source_identity_pkey primary key (source_id)
);

create table rosters.school_enrolment (
    school_id  uuid    not null,
    student_id uuid    not null,
    is_primary boolean not null,
    begin_on   date    not null,
    -- The first day on which it no longer holds; none while it does.
    end_on     date,
    constraint school_enrolment_pkey primary key (school_id, student_id)
);

create table rosters.class_member (
    class_id      uuid        not null,
    source_id     text collate "C" not null,
    person_id     uuid        not null,
    role          text        not null,
    is_primary    boolean     not null,
    begin_on      date,
    -- Exclusive.
    end_on        date,
    missing_since timestamptz,
    constraint class_member_pkey primary key (class_id, source_id)
);
-- Students are found through student_state; this serves the few others.
create index class_member_staff_idx on rosters.class_member (person_id) where role <> 'student';

create table rosters.guardian_link (
    student_id  uuid not null,
    guardian_id uuid not null,
    missing_since timestamptz,
    constraint guardian_link_pkey primary key (student_id, guardian_id)
);

create table rosters.staff_role (
    person_id   uuid not null,
    -- Our role, by the district's rule.
    role        text not null,
    -- Nil for the whole district.
    school_id   uuid not null,
    source_role text not null,
    begin_on    date,
    end_on      date,
    constraint staff_role_pkey primary key (person_id, role, school_id)
);
create index staff_role_school_idx on rosters.staff_role (school_id, role);

-- Restricted: read for equity reports, and the birth date by those cleared for it.
create table rosters.demographics (
    person_id                                 uuid not null,
    birth_date                                date,
    sex                                       text,
    american_indian_or_alaska_native          boolean,
    asian                                     boolean,
    black_or_african_american                 boolean,
    native_hawaiian_or_other_pacific_islander boolean,
    white                                     boolean,
    two_or_more_races                         boolean,
    hispanic_or_latino                        boolean,
    constraint demographics_pkey primary key (person_id)
);

-- The states as last published: what changed is what differs from them.
create table rosters.student_state (
    student_id uuid        not null,
    version    bigint      not null,
    active     boolean     not null,
    grade      text        not null,
    school_ids uuid[]      not null,
    class_ids  uuid[]      not null,
    changed_at timestamptz not null,
    constraint student_state_pkey primary key (student_id)
);
create table rosters.class_state (
    class_id    uuid        not null,
    version     bigint      not null,
    active      boolean     not null,
    school_id   uuid        not null,
    review_unit boolean     not null,
    grades      text[]      not null,
    teacher_ids uuid[]      not null,
    changed_at  timestamptz not null,
    constraint class_state_pkey primary key (class_id)
);
create table rosters.staff_state (
    staff_id   uuid        not null,
    version    bigint      not null,
    active     boolean     not null,
    -- Pairs of role and school, as text so that they compare and sort: `teacher/<uuid>`.
    roles      text[]      not null,
    changed_at timestamptz not null,
    constraint staff_state_pkey primary key (staff_id)
);

create table rosters.import_run (
    import_run_id uuid        not null,
    state         text        not null,
    dry_run       boolean     not null,
    source_name   text        not null,
    caller        text        not null,
    request_id    uuid        not null,
    started_at    timestamptz not null,
    ended_at      timestamptz,
    error_count   bigint      not null default 0,
    warning_count bigint      not null default 0,
    files         jsonb       not null default '[]',
    constraint import_run_pkey primary key (import_run_id),
    constraint import_run_state_check check (state in ('validating', 'refused', 'checked', 'applied', 'needs_approval'))
);
create index import_run_request_idx on rosters.import_run (caller, request_id);

create table rosters.import_issue (
    import_run_id uuid    not null,
    position      integer not null,
    severity      text    not null,
    file          text    not null,
    line          bigint  not null,
    column_name   text    not null,
    rule          text    not null,
    value         text    not null,
    hint          text    not null,
    occurrences   bigint  not null,
    constraint import_issue_pkey primary key (import_run_id, position),
    constraint import_issue_import_run_id_fkey foreign key (import_run_id) references rosters.import_run (import_run_id),
    constraint import_issue_severity_check check (severity in ('warning', 'error'))
);

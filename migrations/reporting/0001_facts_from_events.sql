-- What events told, as read models. Only events write here: an empty schema and the log give the same rows again.
--
-- Whatever has states is kept as one row a version, inserted and never changed, so that the order in which topics
-- arrive and how often does not matter, and a report can speak of an earlier day. Current is the highest version.

-- Where a student belongs today, from a compacted topic: the newest state only.
create table reporting.student_fact (
    student_id uuid    not null,
    version    bigint  not null,
    active     boolean not null,
    grade      text    not null,
    school_ids uuid[]  not null,
    class_ids  uuid[]  not null,
    constraint student_fact_pkey primary key (student_id)
);

-- Classes, from a compacted topic: the newest state only.
create table reporting.class_fact (
    class_id    uuid    not null,
    version     bigint  not null,
    active      boolean not null,
    school_id   uuid    not null,
    review_unit boolean not null,
    constraint class_fact_pkey primary key (class_id)
);

create table reporting.class_review_fact (
    class_review_id uuid        not null,
    version         bigint      not null,
    changed_time    timestamptz not null,
    review_cycle_id uuid        not null,
    class_id        uuid        not null,
    school_id       uuid        not null,
    school_year     integer     not null,
    season          text        not null,
    state           text        not null,
    constraint class_review_fact_pkey primary key (class_review_id, version, changed_time)
);

create table reporting.student_review_fact (
    class_review_id     uuid        not null,
    student_id          uuid        not null,
    version             bigint      not null,
    changed_time        timestamptz not null,
    review_cycle_id     uuid        not null,
    class_id            uuid        not null,
    school_id           uuid        not null,
    school_year         integer     not null,
    season              text        not null,
    state               text        not null,
    not_reviewed_reason text        not null,
    grade               text        not null,
    strengths           integer     not null,
    needs               integer     not null,
    answered_domains    integer     not null,
    constraint student_review_fact_pkey primary key (class_review_id, student_id, version, changed_time)
);

-- Every decision about a tier. Current is the one that took effect last.
create table reporting.tier_fact (
    tier_assignment_id uuid        not null,
    student_id         uuid        not null,
    school_id          uuid        not null,
    school_year        integer     not null,
    review_cycle_id    uuid        not null,
    tier               text        not null,
    suggested_tier     text        not null,
    reason             text        not null,
    effective_time     timestamptz not null,
    constraint tier_fact_pkey primary key (tier_assignment_id)
);
create index tier_fact_student_id_idx on reporting.tier_fact (student_id, effective_time desc, tier_assignment_id desc);

create table reporting.plan_fact (
    plan_id      uuid        not null,
    version      bigint      not null,
    changed_time timestamptz not null,
    student_id   uuid        not null,
    school_id    uuid        not null,
    school_year  integer     not null,
    state        text        not null,
    constraint plan_fact_pkey primary key (plan_id, version, changed_time)
);

create table reporting.need_fact (
    need_id           uuid        not null,
    version           bigint      not null,
    changed_time      timestamptz not null,
    student_id        uuid        not null,
    school_id         uuid        not null,
    school_year       integer     not null,
    code              text        not null,
    domain            text        not null,
    severity          integer     not null,
    sensitivity       text        not null,
    state             text        not null,
    recorded_time     timestamptz not null,
    has_item_in_place boolean     not null,
    all_items_ended   boolean     not null,
    last_reason       text        not null,
    constraint need_fact_pkey primary key (need_id, version, changed_time)
);
create index need_fact_need_id_protected_idx on reporting.need_fact (need_id) where sensitivity = 'protected';

create table reporting.item_fact (
    plan_item_id       uuid        not null,
    version            bigint      not null,
    changed_time       timestamptz not null,
    plan_id            uuid        not null,
    student_id         uuid        not null,
    school_id          uuid        not null,
    school_year        integer     not null,
    need_ids           uuid[]      not null,
    kind               text        not null,
    service_category   text        not null,
    state              text        not null,
    builds_on_strength boolean     not null,
    constraint item_fact_pkey primary key (plan_item_id, version, changed_time)
);

create table reporting.delivery_fact (
    delivery_id       uuid    not null,
    student_id        uuid    not null,
    school_id         uuid    not null,
    plan_item_id      uuid    not null,
    need_ids          uuid[]  not null,
    delivered_on      date    not null,
    planned_minutes   integer not null,
    delivered_minutes integer not null,
    attendance        text    not null,
    constraint delivery_fact_pkey primary key (delivery_id)
);
create index delivery_fact_delivered_on_idx on reporting.delivery_fact (delivered_on);

create table reporting.referral_fact (
    referral_id      uuid        not null,
    version          bigint      not null,
    changed_time     timestamptz not null,
    student_id       uuid        not null,
    school_id        uuid        not null,
    need_ids         uuid[]      not null,
    partner_id       uuid        not null,
    service_id       uuid        not null,
    service_category text        not null,
    mode             text        not null,
    state            text        not null,
    reason           text        not null,
    reason_side      text        not null,
    outcome          text        not null,
    sent_time        timestamptz,
    respond_by       date,
    constraint referral_fact_pkey primary key (referral_id, version, changed_time)
);

-- Places of a service: the newest state only.
create table reporting.capacity_fact (
    service_id uuid    not null,
    version    bigint  not null,
    partner_id uuid    not null,
    maximum    integer not null,
    taken      integer not null,
    waitlisted integer not null,
    constraint capacity_fact_pkey primary key (service_id)
);

create table reporting.disclosure_fact (
    disclosure_id  uuid        not null,
    student_id     uuid        not null,
    partner_id     uuid        not null,
    legal_basis    text        not null,
    disclosed_time timestamptz not null,
    constraint disclosure_fact_pkey primary key (disclosure_id)
);

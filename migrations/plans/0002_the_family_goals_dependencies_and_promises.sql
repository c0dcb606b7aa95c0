-- Plans in full: what the family says and answers, goals, items that wait for others, check-ins, promises.

alter table plans.plan
    add column lead_id              uuid,
    add column contributor_ids      uuid[]  not null default '{}',
    -- [{"staff_id": uuid or null, "relation": text, "note": text}]
    add column trusted_adults       jsonb   not null default '[]',
    add column family_words         text    not null default '',
    add column family_words_by      text    not null default '',
    add column next_look_on         date,
    add column languages            text[]  not null default '{}',
    add column family_response      text,
    add column family_responded_on  date,
    add column carried_from_plan_id uuid,
    add constraint plan_words_check check (length(family_words) <= 2000 and length(family_words_by) <= 100),
    add constraint plan_family_response_check
        check (family_response in ('shared', 'agreed', 'agreed_in_part', 'asked_changes', 'declined', 'no_reply'));

-- What the family answered, each time.
create table plans.family_answer (
    family_answer_id bigint      generated always as identity,
    plan_id          uuid        not null,
    response         text        not null,
    answered_on      date        not null,
    channel          text        not null,
    language         text        not null,
    interpreter      boolean     not null,
    words            text        not null,
    recorded_by      uuid        not null,
    recorded_at      timestamptz not null default now(),
    constraint family_answer_pkey primary key (family_answer_id),
    constraint family_answer_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint family_answer_words_check check (length(words) <= 2000)
);
create index family_answer_plan_id_idx on plans.family_answer (plan_id, family_answer_id desc);
create trigger family_answer_append_only before update or delete on plans.family_answer
    for each statement execute function plans.refuse_rewriting();

alter table plans.plan_item
    add column setting              text,
    add column band                 text,
    add column owner_id             uuid,
    add column first_step_owner_id  uuid,
    add column warm_handoff         text,
    add column priority             smallint not null default 2,
    add column funding_note         text     not null default '',
    add column sessions_per_week    smallint not null default 0,
    add column minutes_per_session  smallint not null default 0,
    add column weeks                smallint not null default 0,
    add column replaced_by          uuid,
    add column individual_review_id uuid,
    drop constraint plan_item_state_check,
    add constraint plan_item_state_check
        check (state in ('planned', 'arranging', 'in_place', 'done', 'declined_by_family', 'not_available', 'withdrawn', 'replaced')),
    add constraint plan_item_replaced_by_check check ((state = 'replaced') = (replaced_by is not null)),
    add constraint plan_item_priority_check check (priority between 1 and 3),
    add constraint plan_item_funding_note_check check (length(funding_note) <= 200);

-- An item waits for those that it depends on.
create table plans.plan_item_dependency (
    plan_item_id  uuid not null,
    depends_on_id uuid not null,
    constraint plan_item_dependency_pkey primary key (plan_item_id, depends_on_id),
    constraint plan_item_dependency_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item,
    constraint plan_item_dependency_depends_on_id_fkey foreign key (depends_on_id) references plans.plan_item,
    constraint plan_item_dependency_self_check check (plan_item_id <> depends_on_id)
);

create table plans.goal (
    goal_id     uuid             not null,
    plan_id     uuid             not null,
    domain      text             not null,
    description text             not null,
    measure     text             not null,
    baseline    double precision not null,
    target      double precision not null,
    on_scale    boolean          not null,
    unit        text             not null,
    starts_on   date             not null,
    target_on   date             not null,
    state       text             not null default 'open',
    sensitivity text             not null,
    version     bigint           not null default 1,
    created_at  timestamptz      not null default clock_timestamp(),
    updated_at  timestamptz      not null default now(),
    constraint goal_pkey primary key (goal_id),
    constraint goal_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint goal_domain_check check (domain in ('academics', 'social_emotional', 'health', 'family')),
    constraint goal_state_check check (state in ('open', 'met', 'partly_met', 'not_met', 'dropped')),
    constraint goal_sensitivity_check check (sensitivity in ('general', 'restricted', 'protected')),
    constraint goal_text_check check (length(description) <= 500 and length(unit) <= 50),
    constraint goal_span_check check (target_on >= starts_on)
);
create index goal_plan_id_idx on plans.goal (plan_id);
create table plans.goal_need (
    goal_id uuid not null,
    need_id uuid not null,
    constraint goal_need_pkey primary key (goal_id, need_id),
    constraint goal_need_goal_id_fkey foreign key (goal_id) references plans.goal,
    constraint goal_need_need_id_fkey foreign key (need_id) references plans.need
);
create table plans.goal_progress (
    progress_id uuid             not null,
    goal_id     uuid             not null,
    observed_on date             not null,
    value       double precision not null,
    note        text             not null,
    recorded_by uuid             not null,
    recorded_at timestamptz      not null default now(),
    constraint goal_progress_pkey primary key (progress_id),
    constraint goal_progress_goal_id_fkey foreign key (goal_id) references plans.goal,
    constraint goal_progress_note_check check (length(note) <= 500)
);
create index goal_progress_goal_id_idx on plans.goal_progress (goal_id, observed_on);
create trigger goal_progress_append_only before update or delete on plans.goal_progress
    for each statement execute function plans.refuse_rewriting();
-- Which goals an item serves.
create table plans.plan_item_goal (
    plan_item_id uuid not null,
    goal_id      uuid not null,
    constraint plan_item_goal_pkey primary key (plan_item_id, goal_id),
    constraint plan_item_goal_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item,
    constraint plan_item_goal_goal_id_fkey foreign key (goal_id) references plans.goal
);

create table plans.check_in (
    check_in_id uuid        not null,
    plan_id     uuid        not null,
    staff_id    uuid        not null,
    with_whom   text        not null,
    every_weeks smallint    not null,
    weekday     smallint    not null,
    about       text        not null,
    starts_on   date        not null,
    ends_on     date,
    version     bigint      not null default 1,
    created_at  timestamptz not null default clock_timestamp(),
    constraint check_in_pkey primary key (check_in_id),
    constraint check_in_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint check_in_with_whom_check check (with_whom in ('family', 'student')),
    constraint check_in_rhythm_check check (every_weeks in (1, 2, 4) and weekday between 1 and 7),
    constraint check_in_about_check check (length(about) <= 200),
    constraint check_in_span_check check (ends_on >= starts_on)
);
create index check_in_plan_id_idx on plans.check_in (plan_id);
create table plans.check_in_note (
    note_id     uuid        not null,
    check_in_id uuid        not null,
    on_date     date        not null,
    happened    boolean     not null,
    from_staff  text        not null,
    from_family text        not null,
    recorded_by uuid        not null,
    recorded_at timestamptz not null default now(),
    constraint check_in_note_pkey primary key (note_id),
    constraint check_in_note_check_in_id_on_date_key unique (check_in_id, on_date),
    constraint check_in_note_check_in_id_fkey foreign key (check_in_id) references plans.check_in,
    constraint check_in_note_text_check check (length(from_staff) <= 1000 and length(from_family) <= 1000)
);
create trigger check_in_note_append_only before update or delete on plans.check_in_note
    for each statement execute function plans.refuse_rewriting();

create table plans.commitment (
    commitment_id uuid        not null,
    plan_id       uuid        not null,
    promised_by   text        not null,
    staff_id      uuid,
    promise       text        not null,
    due_on        date,
    state         text        not null,
    version       bigint      not null default 1,
    created_at    timestamptz not null default clock_timestamp(),
    constraint commitment_pkey primary key (commitment_id),
    constraint commitment_plan_id_fkey foreign key (plan_id) references plans.plan,
    constraint commitment_promise_check check (length(promise) between 1 and 500),
    constraint commitment_state_check check (state in ('open', 'kept', 'changed', 'dropped'))
);
create index commitment_plan_id_idx on plans.commitment (plan_id);

-- Needs that an item is to answer and that have not arrived from reviews yet.
create table plans.awaited_need (
    need_id      uuid not null,
    plan_item_id uuid not null,
    constraint awaited_need_pkey primary key (need_id, plan_item_id),
    constraint awaited_need_plan_item_id_fkey foreign key (plan_item_id) references plans.plan_item
);

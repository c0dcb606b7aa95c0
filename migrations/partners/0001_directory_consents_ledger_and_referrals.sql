-- The directory: who offers what, and how many places there are.

create table partners.partner (
    partner_id uuid        not null,
    name       text        not null,
    sector     text        not null,
    status     text        not null,
    version    bigint      not null default 1,
    updated_at timestamptz not null default now(),
    constraint partner_pkey primary key (partner_id),
    constraint partner_name_check check (length(name) between 1 and 200),
    constraint partner_status_check check (status in ('prospect', 'active', 'paused', 'ended'))
);
create index partner_name_idx on partners.partner (name, partner_id);

create table partners.agreement (
    agreement_id uuid not null,
    partner_id   uuid not null,
    kind         text not null,
    valid_from   date not null,
    valid_to     date not null,
    constraint agreement_pkey primary key (agreement_id),
    constraint agreement_partner_id_fkey foreign key (partner_id) references partners.partner (partner_id),
    constraint agreement_kind_check check (kind in ('mou', 'data_sharing', 'facility')),
    constraint agreement_valid_check check (valid_from <= valid_to)
);
create index agreement_partner_id_idx on partners.agreement (partner_id, valid_to desc);

create table partners.service (
    service_id  uuid        not null,
    partner_id  uuid        not null,
    name        text        not null,
    category    text        not null,
    description text        not null,
    status      text        not null,
    minimum_age integer     not null,
    maximum_age integer     not null,
    languages   text[]      not null,
    school_ids  uuid[]      not null,
    version     bigint      not null default 1,
    updated_at  timestamptz not null default now(),
    words       tsvector    not null generated always as (to_tsvector('simple', name || ' ' || description)) stored,
    constraint service_pkey primary key (service_id),
    constraint service_partner_id_fkey foreign key (partner_id) references partners.partner (partner_id),
    constraint service_status_check check (status in ('active', 'inactive', 'defunct', 'temporarily_closed')),
    constraint service_description_check check (length(description) <= 2000)
);
create index service_partner_id_idx on partners.service (partner_id);
create index service_category_idx on partners.service (category) where status = 'active';
create index service_words_idx on partners.service using gin (words);

-- One line a service. A maximum below what is taken is allowed: then nobody new gets in.
create table partners.capacity (
    service_id uuid        not null,
    maximum    integer     not null default -1,
    taken      integer     not null default 0,
    waitlisted integer     not null default 0,
    version    bigint      not null default 1,
    updated_at timestamptz not null default now(),
    constraint capacity_pkey primary key (service_id),
    constraint capacity_service_id_fkey foreign key (service_id) references partners.service (service_id),
    constraint capacity_maximum_check check (maximum >= -1),
    constraint capacity_taken_check check (taken >= 0),
    constraint capacity_waitlisted_check check (waitlisted >= 0)
) with (fillfactor = 50);

-- A family's consent that a partner may receive parts of a student's record. Written once; only revoked_at changes.
create table partners.consent (
    consent_id  uuid        not null,
    student_id  uuid        not null,
    partner_id  uuid        not null,
    scopes      text[]      not null,
    purpose     text        not null,
    signer_kind text        not null,
    method      text        not null,
    valid_from  date        not null,
    expires_on  date        not null,
    language    text        not null,
    recorded_by uuid        not null,
    recorded_at timestamptz not null default now(),
    revoked_at  timestamptz,
    constraint consent_pkey primary key (consent_id),
    constraint consent_partner_id_fkey foreign key (partner_id) references partners.partner (partner_id),
    constraint consent_scopes_check check (cardinality(scopes) between 1 and 20),
    constraint consent_window_check check (valid_from <= expires_on and expires_on <= valid_from + 366)
);
create index consent_student_id_idx on partners.consent (student_id, partner_id);

-- The disclosure ledger: one chain a student, each line hashed with the one before. Append-only, as the trigger says.
create table partners.disclosure (
    disclosure_id uuid        not null,
    student_id    uuid        not null,
    sequence      bigint      not null,
    at            timestamptz not null,
    direction     text        not null,
    partner_id    uuid        not null,
    legal_basis   text        not null,
    consent_id    uuid,
    scopes        text[]      not null,
    referral_id   uuid        not null,
    channel       text        not null,
    by_staff_id   uuid        not null,
    hash          bytea       not null,
    constraint disclosure_pkey primary key (disclosure_id),
    constraint disclosure_student_id_sequence_key unique (student_id, sequence),
    constraint disclosure_direction_check check (direction in ('out', 'recalled', 'request_denied')),
    constraint disclosure_hash_check check (octet_length(hash) = 32)
);

create function partners.disclosure_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the disclosure ledger is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger disclosure_append_only before update or delete on partners.disclosure for each row execute function partners.disclosure_refuse();
create trigger disclosure_not_truncated before truncate on partners.disclosure for each statement execute function partners.disclosure_refuse();

-- The end of each student's chain: orders writers, and shows where lines at the end were taken away.
create table partners.disclosure_head (
    student_id uuid   not null,
    sequence   bigint not null,
    hash       bytea  not null,
    constraint disclosure_head_pkey primary key (student_id)
);

-- Referrals, and each step they made.
create table partners.referral (
    referral_id      uuid        not null,
    student_id       uuid        not null,
    school_id        uuid        not null,
    need_ids         uuid[]      not null,
    need_codes       text[]      not null,
    plan_item_id     uuid,
    partner_id       uuid        not null,
    service_id       uuid        not null,
    state            text        not null,
    urgency          text        not null,
    mode             text        not null,
    shared_scopes    text[]      not null,
    first_step_owner text        not null,
    requested_by     uuid        not null,
    respond_by       date,
    reason           text        not null default '',
    reason_side      text        not null default '',
    outcome          text        not null default '',
    consent_id       uuid,
    disclosure_id    uuid,
    recalled         boolean     not null default false,
    holds_place      boolean     not null default false,
    waits            boolean     not null default false,
    sent_at          timestamptz,
    opened_at        timestamptz,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    version          bigint      not null default 1,
    constraint referral_pkey primary key (referral_id),
    constraint referral_partner_id_fkey foreign key (partner_id) references partners.partner (partner_id),
    constraint referral_service_id_fkey foreign key (service_id) references partners.service (service_id),
    constraint referral_consent_id_fkey foreign key (consent_id) references partners.consent (consent_id),
    constraint referral_disclosure_id_fkey foreign key (disclosure_id) references partners.disclosure (disclosure_id),
    constraint referral_mode_check check (mode in ('normal', 'protected', 'information_only')),
    -- What has been sent to a partner has its line in the ledger. The types say so too; this is the second lock.
    constraint referral_disclosed_check check (mode <> 'normal' or sent_at is null or disclosure_id is not null),
    constraint referral_nothing_shared_check check (mode = 'normal' or (disclosure_id is null and shared_scopes = '{}')),
    constraint referral_place_check check (not (holds_place and waits))
);
create index referral_student_id_idx on partners.referral (student_id, created_at desc);
create index referral_school_id_idx on partners.referral (school_id, created_at desc);
create index referral_partner_id_idx on partners.referral (partner_id, created_at desc, referral_id desc) where mode = 'normal' and sent_at is not null;
create index referral_consent_id_idx on partners.referral (consent_id);
create index referral_service_id_idx on partners.referral (service_id);
create index referral_created_at_idx on partners.referral (created_at desc, referral_id desc);
create index referral_updated_at_idx on partners.referral (updated_at);

create table partners.referral_step (
    referral_id uuid        not null,
    version     bigint      not null,
    at          timestamptz not null default now(),
    transition  text        not null,
    state       text        not null,
    side        text        not null,
    reason      text        not null,
    constraint referral_step_pkey primary key (referral_id, version),
    constraint referral_step_referral_id_fkey foreign key (referral_id) references partners.referral (referral_id)
);

-- Wakes those who watch, in every replica. Carries ids only; what may be seen is read under the watcher's own rules.
create function partners.referral_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify('partners_referral', new.referral_id::text || ' ' || new.partner_id::text);
    return null;
end $$;
create trigger referral_changed after insert or update on partners.referral for each row execute function partners.referral_notify();

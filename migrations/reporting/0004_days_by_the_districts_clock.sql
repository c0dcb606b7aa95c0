-- Days are those of the district, not of UTC: each session has its time zone from the service's setting.

create or replace function reporting.end_of(day date) returns timestamptz language sql stable
    return (day + 1)::timestamp::timestamptz;

create or replace function reporting.day_of(moment timestamptz) returns date language sql stable
    return moment::date;

alter function reporting.is_unmet(reporting.need_fact, date) stable;

-- By movement, each direction counts its students; otherwise those who moved down count.
select m.student_id, m.school_id,
       case $4 when 'grade' then coalesce(nullif(s.grade, ''), 'unknown')
               when 'tier' then 'Tier ' || m.fall
               when 'movement' then m.movement end as grp,
       case when $4 = 'movement' then 1 else (m.movement = 'down')::int end as numerator, 1 as denominator
from (
    -- The tiers sort by their names: 1, 2a, 2b, 3.
    select student_id, spring.school_id, fall.tier as fall,
           case when spring.tier collate "C" < fall.tier collate "C" then 'down' when spring.tier = fall.tier then 'same' else 'up' end as movement
    from (select * from reporting.seasonal_tier_at($2, $3) where season = 'fall') fall
    join (select * from reporting.seasonal_tier_at($2, $3) where season = 'spring') spring using (student_id)
) m
left join reporting.student_fact s using (student_id)

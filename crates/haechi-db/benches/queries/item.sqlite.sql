create table item (
    id integer primary key, name text not null, body text not null, views integer not null, open integer not null
) strict;
with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
insert into item select i, 'name ' || i, 'a body of some forty letters and no more', i * 7, i % 2 from n

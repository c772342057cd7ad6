create table item (
    id int8 primary key, name text not null, body text not null, views int8 not null, open boolean not null
);
insert into item select i, 'name ' || i, 'a body of some forty letters and no more', i * 7, i % 2 = 1
from generate_series(1, 1000) i

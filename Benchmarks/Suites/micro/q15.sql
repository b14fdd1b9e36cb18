-- Micro 15: text functions over every row
SELECT sum(length(upper(substr(o_comment, 5, 20)))) AS letters, count(*) AS orders FROM orders WHERE strpos(o_comment, 'deposits') > 0;

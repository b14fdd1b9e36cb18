-- Web log 1: count of all rows
SELECT count(*) AS hits FROM hits;

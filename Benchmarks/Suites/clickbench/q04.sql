-- Web log 4: average of a 64-bit column
SELECT avg(FUniqID) AS mean_id FROM hits;

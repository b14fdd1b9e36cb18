-- Web log 28: average length by group, with HAVING
SELECT CounterID, avg(length(Referer)) AS mean_length, count(*) AS hits
FROM hits
WHERE Referer <> ''
GROUP BY CounterID
HAVING count(*) > 2500
ORDER BY mean_length DESC, CounterID
LIMIT 20;

-- Web log 7: minimum and maximum of a timestamp and a date
SELECT min(EventTime) AS first_hit, max(EventTime) AS last_hit, min(EventDate) AS first_day, max(EventDate) AS last_day FROM hits;

-- Web log 18: large grouping, any groups
-- compare: count
SELECT FUniqID, SearchPhrase, count(*) AS hits FROM hits GROUP BY FUniqID, SearchPhrase LIMIT 12;

-- Web log 17: large grouping by a 64-bit key and a string
SELECT FUniqID, SearchPhrase, count(*) AS hits
FROM hits
GROUP BY FUniqID, SearchPhrase
ORDER BY hits DESC, FUniqID, SearchPhrase
LIMIT 12;

-- Web log 23: two substring searches, several aggregates by a string
SELECT SearchPhrase, min(Title) AS a_title, min(URL) AS a_page, count(*) AS searches, count(DISTINCT UserID) AS users
FROM hits
WHERE Title LIKE '%Москва%' AND Referer NOT LIKE '%.google.%' AND SearchPhrase <> ''
GROUP BY SearchPhrase
ORDER BY searches DESC, SearchPhrase
LIMIT 10;

-- Web log 14: strings by their distinct users
SELECT SearchPhrase, count(DISTINCT ClientIP) AS addresses
FROM hits
WHERE SearchPhrase <> ''
GROUP BY SearchPhrase
ORDER BY addresses DESC, SearchPhrase
LIMIT 12;

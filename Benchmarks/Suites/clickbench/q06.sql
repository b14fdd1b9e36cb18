-- Web log 6: distinct strings, most of them empty
SELECT count(DISTINCT UTMTerm) AS terms, count(DISTINCT SearchPhrase) AS phrases FROM hits;

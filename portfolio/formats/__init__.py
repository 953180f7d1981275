"""How the admin writes times, by language; the pages have formats of their own."""

DROP TABLE invitations, held_usernames;

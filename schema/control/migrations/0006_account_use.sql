CREATE TABLE `account_use` (
	`account_id` text PRIMARY KEY NOT NULL,
	`rooms_open` integer DEFAULT 0 NOT NULL,
	`sessions_present` integer DEFAULT 0 NOT NULL,
	`points_reserved` integer DEFAULT 0 NOT NULL,
	`cameras_watched` integer DEFAULT 0 NOT NULL,
	`screens_watched` integer DEFAULT 0 NOT NULL,
	`rooms_max` integer,
	`sessions_max` integer,
	`points_max` integer,
	`egress_max_kbps` integer,
	`caps_version` integer DEFAULT 0 NOT NULL,
	CONSTRAINT "account_rooms" CHECK("account_use"."rooms_open" >= 0),
	CONSTRAINT "account_sessions" CHECK("account_use"."sessions_present" >= 0),
	CONSTRAINT "account_points" CHECK("account_use"."points_reserved" >= 0),
	CONSTRAINT "account_cameras" CHECK("account_use"."cameras_watched" >= 0),
	CONSTRAINT "account_screens" CHECK("account_use"."screens_watched" >= 0)
);
--> statement-breakpoint
ALTER TABLE `zone` ADD `counted_seq` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
INSERT INTO `account_use` (`account_id`, `rooms_open`, `sessions_present`, `points_reserved`, `cameras_watched`, `screens_watched`)
SELECT `account_id`, sum(`rooms`), sum(`sessions`), sum(`points`), sum(`cameras`), sum(`screens`) FROM (
	SELECT `account_id`, 1 AS `rooms`, 0 AS `sessions`, 0 AS `points`, 0 AS `cameras`, 0 AS `screens` FROM `room` WHERE `state` = 'open'
	UNION ALL
	SELECT `room`.`account_id`, 0, 1, 0, 0, 0 FROM `session` JOIN `room` ON `room`.`id` = `session`.`room_id`
	UNION ALL
	SELECT `room`.`account_id`, 0, 0, `reservation`.`points`, 0, 0 FROM `reservation` JOIN `room` ON `room`.`id` = `reservation`.`room_id`
	UNION ALL
	SELECT `room`.`account_id`, 0, 0, 0, `broadcast`.`media_class` = 'camera', `broadcast`.`media_class` = 'screen' FROM (
		SELECT `room_id`, `broadcast_id` FROM `view` WHERE `newest`
		UNION ALL
		SELECT `room_id`, `broadcast_id` FROM `waiting`
	) AS `watched` JOIN `room` ON `room`.`id` = `watched`.`room_id` JOIN `broadcast` ON `broadcast`.`id` = `watched`.`broadcast_id`
) GROUP BY `account_id`;--> statement-breakpoint
UPDATE `zone` SET `counted_seq` = `commit_seq`;

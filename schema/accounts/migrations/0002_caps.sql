ALTER TABLE `account` ADD `rooms_max` integer;--> statement-breakpoint
ALTER TABLE `account` ADD `sessions_max` integer;--> statement-breakpoint
ALTER TABLE `account` ADD `points_max` integer;--> statement-breakpoint
ALTER TABLE `account` ADD `egress_max_kbps` integer;--> statement-breakpoint
ALTER TABLE `account` ADD `caps_version` integer DEFAULT 0 NOT NULL;
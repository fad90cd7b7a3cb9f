CREATE TABLE `revocation` (
	`room_id` text NOT NULL,
	`identity` text NOT NULL,
	`before_ms` integer NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`room_id`, `identity`)
);
--> statement-breakpoint
CREATE INDEX `revocation_at` ON `revocation` (`at_ms`);--> statement-breakpoint
CREATE TABLE `revoked_key` (
	`key_id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `revoked_key_at` ON `revoked_key` (`at_ms`);
CREATE TABLE `move` (
	`view_id` text PRIMARY KEY NOT NULL,
	`to_view_id` text NOT NULL,
	`room_id` text NOT NULL,
	`session_id` text NOT NULL,
	`broadcast_id` text NOT NULL,
	`reason` text NOT NULL,
	`started_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `move_to` ON `move` (`to_view_id`);--> statement-breakpoint
CREATE INDEX `move_room` ON `move` (`room_id`);--> statement-breakpoint
CREATE TABLE `waiting` (
	`session_id` text NOT NULL,
	`broadcast_id` text NOT NULL,
	`room_id` text NOT NULL,
	`view_id` text NOT NULL,
	`reason` text NOT NULL,
	`old_runs_ms` integer NOT NULL,
	`told` integer NOT NULL,
	`avoid_node_id` text,
	`tries` integer NOT NULL,
	`rank` integer NOT NULL,
	`present_since_ms` integer NOT NULL,
	PRIMARY KEY(`session_id`, `broadcast_id`),
	FOREIGN KEY (`session_id`) REFERENCES `session`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`broadcast_id`) REFERENCES `broadcast`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
DROP INDEX `view_once`;--> statement-breakpoint
ALTER TABLE `view` ADD `newest` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `view` ADD `tries` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `view_once` ON `view` (`session_id`,`broadcast_id`) WHERE "view"."newest";--> statement-breakpoint
ALTER TABLE `node` ADD `emptying` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `node` ADD `drain_until_ms` integer;--> statement-breakpoint
ALTER TABLE `node` ADD `failure` text;--> statement-breakpoint
ALTER TABLE `node` ADD `failed_at_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `node` ADD `holds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `node` ADD `held_until_ms` integer;--> statement-breakpoint
ALTER TABLE `pipe` ADD `old_producer_worker_id` text REFERENCES worker(id);--> statement-breakpoint
ALTER TABLE `pipe` ADD `old_generation` integer;--> statement-breakpoint
CREATE INDEX `pipe_old_producer` ON `pipe` (`old_producer_worker_id`);--> statement-breakpoint
ALTER TABLE `broadcast` ADD `state` text DEFAULT 'live' NOT NULL;--> statement-breakpoint
ALTER TABLE `broadcast` ADD `other_worker_id` text REFERENCES worker(id);--> statement-breakpoint
ALTER TABLE `broadcast` ADD `other_transport_id` text;--> statement-breakpoint
CREATE INDEX `broadcast_other` ON `broadcast` (`other_worker_id`);--> statement-breakpoint
ALTER TABLE `track` ADD `transport_id` text DEFAULT '' NOT NULL;
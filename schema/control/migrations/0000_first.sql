CREATE TABLE `batch_guard` (
	`ok` integer NOT NULL,
	CONSTRAINT "batch_guard_ok" CHECK("batch_guard"."ok" = 1)
);
--> statement-breakpoint
CREATE TABLE `node` (
	`id` text PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL,
	`state` text NOT NULL,
	`cordoned` integer NOT NULL,
	`draining` integer NOT NULL,
	`agent_version` text NOT NULL,
	`egress_kbps` integer NOT NULL,
	`egress_used_kbps` integer NOT NULL,
	`ingress_kbps` integer NOT NULL,
	`ingress_used_kbps` integer NOT NULL,
	`egress_quota_gb` integer,
	`sent_month` text NOT NULL,
	`sent_mb` integer NOT NULL,
	`egress_warned` integer NOT NULL,
	`quota_warned` integer NOT NULL,
	`outbox_seq` integer NOT NULL,
	`event_seq` integer NOT NULL,
	CONSTRAINT "node_egress" CHECK("node"."egress_used_kbps" BETWEEN 0 AND "node"."egress_kbps"),
	CONSTRAINT "node_ingress" CHECK("node"."ingress_used_kbps" BETWEEN 0 AND "node"."ingress_kbps")
);
--> statement-breakpoint
CREATE TABLE `pipe` (
	`broadcast_id` text NOT NULL,
	`consumer_worker_id` text NOT NULL,
	`producer_worker_id` text NOT NULL,
	`state` text NOT NULL,
	`generation` integer NOT NULL,
	`legs` integer NOT NULL,
	PRIMARY KEY(`broadcast_id`, `consumer_worker_id`),
	FOREIGN KEY (`consumer_worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`producer_worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `pipe_consumer` ON `pipe` (`consumer_worker_id`);--> statement-breakpoint
CREATE INDEX `pipe_producer` ON `pipe` (`producer_worker_id`);--> statement-breakpoint
CREATE TABLE `reservation` (
	`room_id` text NOT NULL,
	`worker_id` text NOT NULL,
	`points` integer NOT NULL,
	PRIMARY KEY(`room_id`, `worker_id`),
	FOREIGN KEY (`worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "reservation_points" CHECK("reservation"."points" > 0)
);
--> statement-breakpoint
CREATE INDEX `reservation_worker` ON `reservation` (`worker_id`);--> statement-breakpoint
CREATE TABLE `slot` (
	`room_id` text NOT NULL,
	`broadcast_id` text NOT NULL,
	`worker_id` text NOT NULL,
	`viewers` integer NOT NULL,
	`seats` integer NOT NULL,
	`points` integer NOT NULL,
	PRIMARY KEY(`broadcast_id`, `worker_id`, `room_id`),
	FOREIGN KEY (`worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "slot_viewers" CHECK("slot"."viewers" > 0),
	CONSTRAINT "slot_points" CHECK("slot"."points" = ("slot"."viewers" + "slot"."seats" - 1) / "slot"."seats")
);
--> statement-breakpoint
CREATE INDEX `slot_worker` ON `slot` (`worker_id`);--> statement-breakpoint
CREATE INDEX `slot_room` ON `slot` (`room_id`);--> statement-breakpoint
CREATE TABLE `worker` (
	`id` text PRIMARY KEY NOT NULL,
	`node_id` text NOT NULL,
	`incarnation` text NOT NULL,
	`role` text NOT NULL,
	`media_class` text NOT NULL,
	`present` integer NOT NULL,
	`points_total` integer NOT NULL,
	`points_used` integer NOT NULL,
	`broadcasts_total` integer NOT NULL,
	`broadcasts_used` integer NOT NULL,
	`legs_total` integer NOT NULL,
	`legs_used` integer NOT NULL,
	`dedicated_to` text,
	FOREIGN KEY (`node_id`) REFERENCES `node`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "worker_points" CHECK("worker"."points_used" BETWEEN 0 AND "worker"."points_total"),
	CONSTRAINT "worker_broadcasts" CHECK("worker"."broadcasts_used" BETWEEN 0 AND "worker"."broadcasts_total"),
	CONSTRAINT "worker_legs" CHECK("worker"."legs_used" BETWEEN 0 AND "worker"."legs_total")
);
--> statement-breakpoint
CREATE INDEX `worker_node` ON `worker` (`node_id`);--> statement-breakpoint
CREATE TABLE `zone` (
	`id` text PRIMARY KEY NOT NULL,
	`generation` integer DEFAULT 0 NOT NULL,
	`commit_seq` integer DEFAULT 0 NOT NULL,
	`pipe_generation` integer DEFAULT 0 NOT NULL,
	`codecs_hash` text,
	`router_rtp_capabilities` text
);
--> statement-breakpoint
CREATE TABLE `ban` (
	`room_id` text NOT NULL,
	`identity` text NOT NULL,
	`at_ms` integer NOT NULL,
	`by` text NOT NULL,
	PRIMARY KEY(`room_id`, `identity`),
	FOREIGN KEY (`room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `broadcast` (
	`id` text PRIMARY KEY NOT NULL,
	`home_room_id` text NOT NULL,
	`session_id` text NOT NULL,
	`identity` text NOT NULL,
	`media_class` text NOT NULL,
	`worker_id` text NOT NULL,
	`transport_id` text NOT NULL,
	`track_version` integer NOT NULL,
	`claimed_at_ms` integer NOT NULL,
	FOREIGN KEY (`home_room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`session_id`) REFERENCES `session`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `broadcast_worker` ON `broadcast` (`worker_id`);--> statement-breakpoint
CREATE INDEX `broadcast_home` ON `broadcast` (`home_room_id`);--> statement-breakpoint
CREATE INDEX `broadcast_session` ON `broadcast` (`session_id`);--> statement-breakpoint
CREATE TABLE `broadcast_room` (
	`broadcast_id` text NOT NULL,
	`room_id` text NOT NULL,
	`counted` integer NOT NULL,
	PRIMARY KEY(`broadcast_id`, `room_id`),
	FOREIGN KEY (`broadcast_id`) REFERENCES `broadcast`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `broadcast_room_room` ON `broadcast_room` (`room_id`);--> statement-breakpoint
CREATE TABLE `room` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`tier` integer NOT NULL,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`reserve` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`event_seq` integer NOT NULL,
	`broadcasts_max` integer NOT NULL,
	`broadcasts_live` integer NOT NULL,
	`sessions_max` integer NOT NULL,
	`sessions_present` integer NOT NULL,
	CONSTRAINT "room_broadcasts" CHECK("room"."broadcasts_live" BETWEEN 0 AND "room"."broadcasts_max"),
	CONSTRAINT "room_sessions" CHECK("room"."sessions_present" BETWEEN 0 AND "room"."sessions_max")
);
--> statement-breakpoint
CREATE INDEX `room_account` ON `room` (`account_id`,`id`);--> statement-breakpoint
CREATE TABLE `session` (
	`id` text PRIMARY KEY NOT NULL,
	`room_id` text NOT NULL,
	`identity` text NOT NULL,
	`can_publish` integer NOT NULL,
	`can_subscribe` integer NOT NULL,
	`room_admin` integer NOT NULL,
	`attached` integer NOT NULL,
	`entered_at_ms` integer NOT NULL,
	`event_seq` integer NOT NULL,
	FOREIGN KEY (`room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `session_room` ON `session` (`room_id`);--> statement-breakpoint
CREATE TABLE `track` (
	`id` text PRIMARY KEY NOT NULL,
	`broadcast_id` text NOT NULL,
	`kind` text NOT NULL,
	`source` text NOT NULL,
	`paused` integer NOT NULL,
	FOREIGN KEY (`broadcast_id`) REFERENCES `broadcast`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `track_broadcast` ON `track` (`broadcast_id`);--> statement-breakpoint
CREATE TABLE `view` (
	`id` text PRIMARY KEY NOT NULL,
	`room_id` text NOT NULL,
	`session_id` text NOT NULL,
	`broadcast_id` text NOT NULL,
	`worker_id` text NOT NULL,
	`state` text NOT NULL,
	`transport_id` text NOT NULL,
	`grounds` text NOT NULL,
	`claimed_at_ms` integer NOT NULL,
	FOREIGN KEY (`room_id`) REFERENCES `room`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`session_id`) REFERENCES `session`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`broadcast_id`) REFERENCES `broadcast`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `worker`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `view_once` ON `view` (`session_id`,`broadcast_id`);--> statement-breakpoint
CREATE INDEX `view_slot` ON `view` (`broadcast_id`,`worker_id`,`room_id`);--> statement-breakpoint
CREATE INDEX `view_room` ON `view` (`room_id`);--> statement-breakpoint
CREATE INDEX `view_worker` ON `view` (`worker_id`);--> statement-breakpoint
CREATE TABLE `deadline` (
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`room_id` text NOT NULL,
	`due_at_ms` integer NOT NULL,
	PRIMARY KEY(`kind`, `key`)
);
--> statement-breakpoint
CREATE TABLE `event` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`stream_id` text NOT NULL,
	`room_id` text,
	`seq` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`event` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `event_place` ON `event` (`stream_id`,`seq`);--> statement-breakpoint
CREATE INDEX `event_at` ON `event` (`at_ms`);--> statement-breakpoint
CREATE TABLE `idempotency` (
	`room_id` text NOT NULL,
	`key` text NOT NULL,
	`body_hash` text NOT NULL,
	`claim` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`room_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_at` ON `idempotency` (`at_ms`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`node_id` text NOT NULL,
	`seq` integer NOT NULL,
	`instruction` text NOT NULL,
	PRIMARY KEY(`node_id`, `seq`)
);
--> statement-breakpoint
CREATE TABLE `webhook` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`url` text NOT NULL,
	`secret` text NOT NULL,
	`events` text NOT NULL,
	`after_event_id` integer NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `webhook_account` ON `webhook` (`account_id`);
<?php

declare(strict_types=1);

/** The visitor's notes, kept in the session. */
final class Notes
{
    private const PNG = "\x89PNG\r\n\x1a\n";

    /** @param array<string, mixed> $session */
    public function __construct(private array &$session)
    {
        $this->session['notes'] ??= [];
    }

    /** @return list<array{text: string, picture: bool}> */
    public function all(): array
    {
        return array_map(
            static fn (array $note): array => ['text' => $note['text'], 'picture' => $note['picture'] !== null],
            $this->session['notes'],
        );
    }

    /** A picture that is no PNG is left out; a note without text and picture is none. */
    public function add(string $text, ?string $picture): void
    {
        $picture = $picture !== null && str_starts_with($picture, self::PNG) ? $picture : null;
        if ($text !== '' || $picture !== null) {
            $this->session['notes'][] = ['text' => $text, 'picture' => $picture];
        }
    }

    public function picture(int $number): ?string
    {
        return $this->session['notes'][$number]['picture'] ?? null;
    }
}

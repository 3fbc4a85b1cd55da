# Differences of groups and signed ranks, for tests/gaps/estimates/test_sides.py and test_ranks.py.
# Rscript tests/gaps/reference/estimates.R; R 4.2.2, survey 4.1-1
suppressMessages(library(survey))
# 24 respondents of 12 customers in 6 units; groups g; weights w; gaps x (planned, no randomness)
i <- 0:23
cust <- i %/% 2
w <- 1 + (i %% 3) / 2
x <- ((i * 7) %% 5) - 3 + (cust %% 2)
g <- cust %% 2                       # customers lie within groups
h <- i %% 2                          # customers straddle groups
d <- data.frame(i, cust, w, x, g, h)
options(digits = 12)
# difference of groups, customers within groups: strata = one G/(G-1) a side, as ours
s <- svydesign(ids = ~cust, strata = ~g, weights = ~w, data = d)
m <- svyby(~x, ~g, s, svymean, covmat = TRUE)
print(m); print(svycontrast(m, c(-1, 1)))
# no clusters
s <- svydesign(ids = ~1, strata = ~h, weights = ~w, data = d)
m <- svyby(~x, ~h, s, svymean, covmat = TRUE); print(m); print(svycontrast(m, c(-1, 1)))
# customers on both sides: unstratified, domains
s <- svydesign(ids = ~cust, weights = ~w, data = d)
m <- svyby(~x, ~h, s, svymean, covmat = TRUE); print(m); print(svycontrast(m, c(-1, 1)))
# clusters without weights, signed rank: Rosner's z with Pratt's zeros
r <- rank(abs(x)); sr <- sign(x) * r
S <- tapply(sr, cust, sum); print(sum(S) / sqrt(sum(S^2))); print(2*pnorm(-abs(sum(S) / sqrt(sum(S^2)))))
z <- sum(sr) / sqrt(sum(sr^2)); print(z); print(2*pnorm(-abs(z)))
print(sum(sr)/sum(r[x != 0]))
# the same gaps once more by twelve other customers
x2 <- c(x, x); c2 <- c(cust, cust + 12)
r <- rank(abs(x2)); S <- tapply(sign(x2) * r, c2, sum)
print(2 * pnorm(-abs(sum(S) / sqrt(sum(S^2)))))

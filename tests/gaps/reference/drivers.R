# Reference numbers of tests/gaps/drivers, and the data they rest on. Run: Rscript drivers.R
# swiss.csv: R package datasets (fertility of 47 Swiss provinces, 1888; F. Mosteller, J. W. Tukey
#   1977), GPL-2 | GPL-3. housing.csv: R package MASS (satisfaction of 1,681 tenants of Copenhagen;
#   M. Madsen 1976), GPL-2 | GPL-3. wine.csv: R package ordinal (bitterness of wine; R. H. Randall
#   1989), GPL-2 | GPL-3. The tables are facts, written as they come.
options(digits = 12)
library(MASS); library(ordinal)

# proportional odds
m <- polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing, Hess = TRUE)
print(c(coef(m), m$zeta)); print(sqrt(diag(vcov(m)))); print(logLik(m))
w <- clm(rating ~ temp + contact, data = wine)
print(summary(w)$coefficients[, 1:2]); print(logLik(w))

# Shapley values of R2 for groups of columns, over all orders (relaimpo's lmg with groups)
groups <- list(c("Agriculture", "Examination"), c("Education", "Catholic"), "Infant.Mortality")
orders <- list(c(1,2,3), c(1,3,2), c(2,1,3), c(2,3,1), c(3,1,2), c(3,2,1))
shapley <- function(weights) {
  r2 <- function(g) if (!length(g)) 0 else summary(lm(
    reformulate(unlist(groups[g]), "Fertility"), swiss, weights = weights))$r.squared
  total <- numeric(3)
  for (o in orders) for (i in 1:3) total[o[i]] <- total[o[i]] + r2(o[1:i]) - r2(o[seq_len(i - 1)])
  total / 6
}
print(shapley(rep(1, 47))); print(shapley(1 + (1:47 %% 3)))

# standardised coefficients, and the standard deviation of what a group contributes (sheaf)
z <- as.data.frame(scale(swiss))
f <- lm(Fertility ~ ., z)
print(coef(f)[-1])
sheaf <- sapply(groups, function(g) sd(as.matrix(z[g]) %*% coef(f)[g]))
print(sheaf)

# R2 of the latent outcome (McKelvey, Zavoina 1975) of the wine model
x <- model.matrix(~ temp + contact, wine)[, -1]
v <- drop(x %*% coef(w)[c("tempwarm", "contactyes")])
print(mean((v - mean(v))^2) / (mean((v - mean(v))^2) + pi^2 / 3))
